"""The description that the manifest gives of a file, held against the one inside the file."""

from __future__ import annotations

from export.schema.manifest import Manifest
from export.schema.metadata import Description, Precision
from hierattn.model_metadata import ModelMetadata


def stated_description(manifest: Manifest, precision: Precision) -> Description:
    """What the file of that precision must say of itself, by the manifest."""
    return Description(
        **ModelMetadata.fields_of(manifest),
        precision=precision,
        weights_sha256=manifest.source.weights_sha256,
        licence=manifest.source.licence,
    )


def description_problems(found: Description, stated: Description) -> list[str]:
    """Why a file is not the one that the manifest describes, one line; empty where it is."""
    differing = [
        name for name in Description.model_fields if getattr(found, name) != getattr(stated, name)
    ]
    if not differing:
        return []
    return [f"its own metadata differ from the manifest: {', '.join(differing)}"]
