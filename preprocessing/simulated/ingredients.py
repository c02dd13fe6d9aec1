"""Make what samples of cortical activity are mixed from, once: a Ray task each, and only for what the store lacks."""

from collections.abc import Callable

import ray
import torch
from threadpoolctl import threadpool_limits

from crossmodal.physics.connectome import Connectome
from crossmodal.storage.uri import check_reachable
from crossmodal.tasks.cortex.ingredients import Ingredient, keep, make
from crossmodal.tasks.cortex.patch_fold import IngredientsPlan


def make_ingredients(plan: IngredientsPlan, store: str, on_made: Callable[[Ingredient], None]) -> None:
    """Make what is missing, those that take longest first; each is in the store as soon as it is made, so that a killed job goes on there.

    Parameters
    ----------
    plan : IngredientsPlan
        Of the experiment, just made.
    store : str
        The experiment's, absolute.
    on_made : callable
        Told each as it is made.

    Raises
    ------
    UserError
        The store cannot be reached, or a worker refuses to go on.
    """
    check_reachable(store)
    connectome = ray.put(plan.connectome)
    waiting = {
        _make.remote(ingredient, connectome, store): ingredient for ingredient in sorted(plan.missing, key=lambda each: -each.core_s)
    }
    while waiting:
        (done,), _ = ray.wait(list(waiting))
        try:
            ray.get(done)
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
        on_made(waiting.pop(done))


@ray.remote(num_cpus=1)
def _make(ingredient: Ingredient, connectome: Connectome, store: str) -> None:
    # One core was asked for, whatever OMP_NUM_THREADS says.
    torch.set_num_threads(1)
    with threadpool_limits(1):
        keep(ingredient, make(ingredient, connectome), store)
