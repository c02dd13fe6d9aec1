"""Photograph the MLflow views that docs/mlflow.md shows, from the runs of `make demo` and `jobs/tune.py jobs/experiments/search.yaml`.

python docs/screenshots.py [runs/mlflow.db]

It starts a server of its own on that file and looks at it with headless Chromium, which has to be installed, as its driver has.
"""

import argparse
import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from mlflow import MlflowClient
from mlflow.entities import Run
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from crossmodal.evaluation.protocol import FOLDER
from crossmodal.tracking.links import link

OUTPUT = Path(__file__).parent / "mlflow"
WIDTH, HEIGHT = 1500, 720
PATIENCE_S = 120
# What the page draws after its last request has been answered.
SETTLING_S = 5
_CHROMIUM = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
_STORAGE = 'MLflowLocalStorage-1.1-ExperimentPage-["{}"]-ReactComponentState'
_EXPLAINED = "test/mag/{}/explained_variance"
_PREDICTORS = ("Synaptech-Net", "lagged ridge 100 ms", "ridge", "minimum norm", "training mean")


@dataclass(frozen=True)
class View:
    """A page of the MLflow UI.

    Attributes
    ----------
    name : str
        Of the picture's file.
    route : str
        Behind the server's address.
    shows : str
        Text that is on the page once it is drawn; the name of an image where it is one.
    experiment : str
        Whose table has `columns`.
    """

    name: str
    route: str
    shows: str
    experiment: str = ""
    columns: Sequence[str] = field(default=())


def main() -> None:
    """Start a server, find the runs and photograph them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", type=Path, nargs="?", default=Path("runs/mlflow.db"))
    database = parser.parse_args().database.resolve()
    if not database.exists():
        sys.exit(f"{database}: there is no such file; run `make demo` and `jobs/tune.py jobs/experiments/search.yaml` first")
    OUTPUT.mkdir(exist_ok=True)
    with _server(database) as address, _browser() as browser:
        for view in _views(MlflowClient(address)):
            _photograph(browser, address, view)


def _views(client: MlflowClient) -> Iterator[View]:
    """The newest search's trials, and the demo's subjects and figures."""
    (experiment,) = (found.experiment_id for found in client.search_experiments() if found.name == "demo")
    sweep = _newest(client, experiment, "tags.level = 'sweep'")
    trials = f"tags.sweep = '{sweep.data.tags['sweep']}' AND tags.level = 'trial'"
    columns = ["tags.`trial`", "tags.`state`", "metrics.`score`", *_varied(client.search_runs([experiment], trials))]
    yield _table("trials", experiment, trials, "metrics.`score`", columns, shows="score")
    run = _newest(client, experiment, "tags.`crossmodal.run` LIKE 'demo-%' AND tags.`crossmodal.fold` = ''")
    folds = f"tags.`crossmodal.run` = '{run.data.tags['crossmodal.run']}' AND tags.`crossmodal.fold` != ''"
    scores = [f"metrics.`{_EXPLAINED.format(predictor)}`" for predictor in _PREDICTORS]
    yield _table("subjects", experiment, folds, scores[0], scores, shows="sub-01")
    yield _artifact("figure", experiment, run, f"{FOLDER}/figures/subjects.png")


def _newest(client: MlflowClient, experiment: str, wanted: str) -> Run:
    return client.search_runs([experiment], wanted, max_results=1, order_by=["attributes.start_time DESC"])[0]


def _varied(runs: Sequence[Run]) -> list[str]:
    """Columns of what differs between runs and is a setting of the model, its training or its windows."""
    names = sorted(set().union(*(run.data.params for run in runs)))
    varied = [name for name in names if len({run.data.params.get(name) for run in runs}) > 1]
    return [f"params.`{name}`" for name in varied if name.split(".")[0] in ("model", "training", "data")][:6]


def _table(name: str, experiment: str, wanted: str, order: str, columns: Sequence[str], shows: str) -> View:
    return View(name, link("", experiment, searchFilter=wanted, orderByKey=order, orderByAsc="false"), shows, experiment, columns)


def _artifact(name: str, experiment: str, run: Run, path: str) -> View:
    return View(name, link("", experiment, f"{run.info.run_id}/artifacts/{path}"), shows=path.rpartition("/")[2])


def _photograph(browser: webdriver.Chrome, address: str, view: View) -> None:
    browser.get(address)
    # The assistant covers a fourth of the page, and the columns of a table are kept by the browser alone.
    settings = {"mlflow.assistant.panelOpen_v1": "false", "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true"}
    if view.columns:
        settings[_STORAGE.format(view.experiment)] = json.dumps({"selectedColumns": list(view.columns)})
    browser.execute_script("for (const [key, value] of Object.entries(arguments[0])) localStorage.setItem(key, value)", settings)
    browser.get("about:blank")
    browser.get(f"{address}{view.route}")
    WebDriverWait(browser, PATIENCE_S).until(lambda page: view.shows in page.find_element(By.TAG_NAME, "body").text)
    time.sleep(SETTLING_S)
    browser.save_screenshot(str(OUTPUT / f"{view.name}.png"))


@contextlib.contextmanager
def _server(database: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--backend-store-uri",
        f"sqlite:///{database}",
        "--port",
        str(port),
        "--workers",
        "1",
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        for _ in range(PATIENCE_S):
            with contextlib.suppress(OSError), urlopen(f"{address}/health", timeout=5):
                break
            time.sleep(1)
        yield address
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def _browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    driver = shutil.which("chromedriver")
    if not options.binary_location or not driver:
        sys.exit("Chromium or its driver is not installed: on Debian, apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory() as profile:
        for argument in (*_CHROMIUM, f"--window-size={WIDTH},{HEIGHT}", f"--user-data-dir={profile}"):
            options.add_argument(argument)
        browser = webdriver.Chrome(options=options, service=Service(driver))
        try:
            yield browser
        finally:
            browser.quit()


if __name__ == "__main__":
    main()
