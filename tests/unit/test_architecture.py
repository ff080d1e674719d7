"""What must not be loaded is not loaded. The import contracts themselves run in ``make check``."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "torch",
    "transformers",
    "peft",
    "fastapi",
    "starlette",
    "uvicorn",
    "matplotlib",
    "xllamacpp",
    "httpx",
)


def loaded_after(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import smallhours",
        "import smallhours.safety",
        "from smallhours.safety.pipeline import SafetyPipeline",
        "import smallhours.llm",
        "import smallhours.llm.chat_format",
        "from smallhours.llm.catalog import find_base; find_base('microsoft/DialoGPT-medium')",
        "import smallhours.export.served_base",
        "import smallhours.bootstrap",
        "import smallhours.corpus.build",
        "import smallhours.corpus.review.session",
        "import smallhours.evaluate.run",
        "import smallhours.serve.model_server.child",
        "import smallhours.serve.upstreams.pool",
        "from smallhours.cli.main import run; run(['--help'])",
        "from smallhours.cli.main import run; run(['screen', '--help'])",
        "from smallhours.cli.main import run; run(['serve', '--help'])",
        "from smallhours.cli.main import run; run(['plan', '--help'])",
        "from smallhours.cli.main import run; run(['corpus', 'review', '--help'])",
        "import smallhours.bootstrap.doctor",
    ],
)
def test_heavy_packages_stay_out(code: str) -> None:
    assert loaded_after(code) == set()
