"""Speed scripts for developers; their results stand in docs/performance.md."""
