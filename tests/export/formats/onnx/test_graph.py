from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from export.formats.onnx.graph import tidy


def noisy(order: tuple[int, ...] = (0, 1, 2), names: str = "abc") -> onnx.ModelProto:
    """The same small network, with its parts in another order and under other names."""
    first, second, third = names
    weight = numpy_helper.from_array(np.eye(4, dtype=np.float32), f"w{first}")
    offset = numpy_helper.from_array(np.ones(4, np.float32), f"o{second}")
    unread = numpy_helper.from_array(np.zeros(9, np.float32), f"u{third}")
    nodes = [
        helper.make_node("MatMul", ["input", weight.name], [first], name=f"n{third}"),
        helper.make_node("Add", [first, offset.name], ["head/add"], name=f"n{first}"),
        helper.make_node("Tanh", ["head/add"], ["logits"], name=f"n{second}"),
        helper.make_node("Abs", ["head/add"], [second], name="unread"),
    ]
    nodes[0].doc_string = f"File /home/{first}/network.py"
    nodes[1].metadata_props.add(key="stack_trace", value=f"/home/{first}")
    graph = helper.make_graph(
        nodes,
        f"main_{first}",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 4])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])],
        [(weight, offset, unread)[index] for index in order],
        value_info=[helper.make_tensor_value_info(first, TensorProto.FLOAT, ["batch", 4])],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("unread.domain", 1)]
    model = helper.make_model(graph, opset_imports=opsets, producer_name=first, ir_version=11)
    model.metadata_props.add(key="tool", value=second)
    return model


def test_one_form_for_one_network() -> None:
    forms = {
        tidy(model, "net").SerializeToString(deterministic=True)
        for model in (noisy(), noisy((2, 1, 0)), noisy((1, 0, 2), "xyz"))
    }
    assert len(forms) == 1


def test_noise_is_gone_and_names_speak() -> None:
    tidied = tidy(noisy(), "net")
    onnx.checker.check_model(tidied, full_check=True)
    assert b"/home" not in tidied.SerializeToString()
    assert (tidied.graph.name, tidied.ir_version) == ("net", 9)
    assert [opset.domain for opset in tidied.opset_import] == [""]
    assert not tidied.metadata_props
    assert [node.output[0] for node in tidied.graph.node] == ["head/MatMul", "head/add", "logits"]
    assert [node.name for node in tidied.graph.node] == ["head/MatMul", "head/add", "logits"]
    stored = [tensor.name for tensor in tidied.graph.initializer]
    assert stored == ["head/MatMul.weight", "head/add.weight"]


def test_every_layer_norm_has_a_bias() -> None:
    """ONNX Runtime 1.18 ends the process where there is none."""
    scale = numpy_helper.from_array(np.full(4, 2, np.float32), "scale")
    node = helper.make_node("LayerNormalization", ["input", "scale"], ["logits"])
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4])
        for name in ("input", "logits")
    ]
    graph = helper.make_graph([node], "main", ends[:1], ends[1:], [scale])
    opsets = [helper.make_opsetid("", 20)]
    tidied = tidy(helper.make_model(graph, opset_imports=opsets, ir_version=10), "net")
    onnx.checker.check_model(tidied, full_check=True)
    assert list(tidied.graph.node[0].input) == ["input", "logits.weight", "logits.bias"]
    assert np.array_equal(numpy_helper.to_array(tidied.graph.initializer[1]), np.zeros(4, "f4"))
