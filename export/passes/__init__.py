from export.deployment.graph import REWRITES, deployment_graph, rewrites_for
from export.deployment.rewrite import Rewrite

__all__ = ["REWRITES", "Rewrite", "deployment_graph", "rewrites_for"]
