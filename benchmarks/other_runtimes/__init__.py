"""Trial of exported files on runtimes other than those they are checked with at export."""
