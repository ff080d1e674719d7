"""Run notebooks/walkthrough.ipynb from top to bottom and keep its output: what a reader sees on the web.

    python scripts/notebook.py

It works in a folder of its own, so that no run of yours is touched. Minutes on a busy machine.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).resolve().parent.parent / "notebooks" / "walkthrough.ipynb"
LIMIT = 600  # seconds a cell may take


def executed(path: Path, folder: Path) -> Any:
    """The notebook with the output of every cell, run in ``folder``.

    Raises:
        CellExecutionError: a cell failed; the message holds the cell and its traceback.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=LIMIT,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def tidied(notebook: Any) -> Any:
    """Without what differs from run to run and says nothing: times of cells, versions of the kernel."""
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"], "language_info": {"name": "python"}}
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def main() -> int:
    """Run it and write it back."""
    with tempfile.TemporaryDirectory() as folder:
        notebook = tidied(executed(NOTEBOOK, Path(folder)))
    nbformat.write(notebook, NOTEBOOK)
    print(f"{NOTEBOOK.name}: {len(notebook.cells)} cells run")
    return 0


if __name__ == "__main__":
    sys.exit(main())
