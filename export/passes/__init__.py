from export.passes.graph import REWRITES, deployment_graph, rewrites_for
from export.passes.rewrite import Rewrite

__all__ = ["REWRITES", "Rewrite", "deployment_graph", "rewrites_for"]
