from export.deployment.graph import REWRITES, deployment_graph, rewrites_for
from export.deployment.rewrite import Rewrite, Target

__all__ = ["REWRITES", "Rewrite", "Target", "deployment_graph", "rewrites_for"]
