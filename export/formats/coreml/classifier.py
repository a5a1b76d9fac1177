"""Core ML classifiers that keep their logits.

coremltools 9.0 can neither convert nor quantise one that has a named output beside the class label,
so labels come last: the network is converted with two outputs, and the last operation is taken
from a one-line classifier.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from export.formats.coreml.tidy import main_block

PROBABILITIES, LABEL = "probabilities", "classLabel"


class Classifier(nn.Module):
    """A network with calibrated probabilities beside its logits."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        # Not "graph": torch.export has an attribute of that name of its own.
        self.network = network
        self.temperature = temperature

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[1, 3, S, S] to logits and softmax(logits / temperature), [1, K] each."""
        logits = self.network(x)
        return logits, (logits / self.temperature).softmax(dim=-1)


def add_labels(specification: Any, classes: list[str]) -> None:
    """Replace the output ``probabilities`` by a class label and a dictionary, in place."""
    template = _one_line_classifier(classes)
    operation = main_block(template).operations[-1]
    operation.inputs["probabilities"].arguments[0].name = PROBABILITIES
    block = main_block(specification)
    block.operations.append(operation)
    kept = [name for name in block.outputs if name != PROBABILITIES]
    block.outputs[:] = [*(output.name for output in operation.outputs), *kept]
    facts, model = specification.description, template.description
    features = [feature for feature in facts.output if feature.name != PROBABILITIES]
    copies = [type(feature).FromString(feature.SerializeToString()) for feature in features]
    del facts.output[:]
    facts.output.extend([*model.output, *copies])
    facts.predictedFeatureName = model.predictedFeatureName
    facts.predictedProbabilitiesName = model.predictedProbabilitiesName


def _one_line_classifier(classes: list[str]) -> Any:
    import coremltools as ct
    from coremltools.converters.mil import Builder

    def build(scores: Any) -> Any:
        return Builder.softmax(x=scores, axis=-1, name=PROBABILITIES)

    entry = Builder.TensorSpec(shape=(1, len(classes)))
    program = Builder.program(input_specs=[entry], opset_version=ct.target.iOS16)(build)
    settings = ct.ClassifierConfig(
        classes, predicted_feature_name=LABEL, predicted_probabilities_output=PROBABILITIES
    )
    return ct.convert(
        program,
        minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT32,
        classifier_config=settings,
        skip_model_load=True,
    ).get_spec()
