"""The version of the protocol that scores are made under: scores of different versions are never compared."""

from crossmodal.storage.uri import join

# What each version changed. A fault that is mended adds a version here; scores of older versions stay as they were.
HISTORY = {
    1: "Scores without a version.",
    2: (
        "Bad spans are mended before filters can smear them; the penalty of lagged ridge rises with lag, and it has an intercept; the leak "
        "alarm tests each subject; a title is won on subjects that no search has seen."
    ),
}
PROTOCOL = max(HISTORY)
FOLDER = f"protocol-{PROTOCOL}"


def of_protocol(folder: str, protocol: int = PROTOCOL) -> str:
    """Where a folder of a run keeps what was made under a version: that of version 1 lies in the folder itself."""
    return folder if protocol == 1 else join(folder, f"protocol-{protocol}")
