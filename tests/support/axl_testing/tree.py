"""What both daemons have in common: each shows the tree that it knows."""

from .wait import until


class TreeMember:
    """Has `name`, `key`, and `tree()`: the parent's key by key."""

    def root(self):
        tree, at = self.tree(), self.key.hex
        for _ in tree:
            parent = tree.get(at)
            if parent is None:
                return None
            if parent == at:
                return at
            at = parent
        return None

    def wait_for_root(self, key):
        until(lambda: self.root() == key.hex, f"{self.name} is in the tree whose root is {key.hex[:8]}")

    def wait_for_parent(self, key, child=None):
        """Until this node sees `child` (itself by default) below `key`."""
        child = child or self.key
        until(lambda: self.tree().get(child.hex) == key.hex, f"{self.name} sees {child.hex[:8]} below {key.hex[:8]}")
