from export.deployment.graph import REWRITES, deployment_graph
from export.deployment.rewrite import Rewrite

__all__ = ["REWRITES", "Rewrite", "deployment_graph"]
