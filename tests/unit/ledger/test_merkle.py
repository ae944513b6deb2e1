"""The tree is RFC 9162's: the reference's vectors, a plain recursive reading, and no proof but the right one passes."""

import hashlib
import os
import secrets

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from api.ledger.merkle import (
    EMPTY,
    Frontier,
    Node,
    consistency_ranges,
    extends,
    includes,
    inclusion_ranges,
    leaf_hash,
    needed,
    nodes_of,
    path,
    root_of,
)

SEED = int(os.environ.get("SAMSYN_TEST_SEED", secrets.randbits(32)))
print(f"SAMSYN_TEST_SEED={SEED}")
MANY = settings(max_examples=300, deadline=None, print_blob=True, database=None)

# The vectors that the certificate-transparency projects share (RFC 6962; RFC 9162 hashes the same).
LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
CONSISTENCY = {
    (1, 1): [],
    (1, 8): INCLUSION[0, 8],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
    (6, 7): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
}
SOME_HASH = hashlib.sha256(b"nobody's").digest()


class Tree:
    """Leaves with every node that their growth made, and a head for every size."""

    def __init__(self, entries):
        self.leaves = [leaf_hash(entry) for entry in entries]
        self.heads, self.nodes = [Frontier()], {}
        for leaf in self.leaves:
            head, made = self.heads[-1].append(leaf)
            assert not set(dict(made)) & set(self.nodes), "a node is made once"
            self.nodes |= dict(made)
            self.heads.append(head)

    def root(self, size):
        return self.heads[size].root

    def inclusion(self, index, size):
        ranges = inclusion_ranges(index, size)
        assert set(needed(ranges)) <= set(self.nodes)
        return path(ranges, self.nodes)

    def consistency(self, old, new):
        return path(consistency_ranges(old, new), self.nodes)


REFERENCE = Tree([bytes.fromhex(leaf) for leaf in LEAVES])


def made_up(size):
    return Tree([number.to_bytes(2) for number in range(size)])


# --- a plain reading of §2.1, to compare with -----------------------------------------------------------------------


def split(count):
    left = 1
    while left * 2 < count:
        left *= 2
    return left


def plain_root(leaves):
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    left = split(len(leaves))
    return hashlib.sha256(b"\x01" + plain_root(leaves[:left]) + plain_root(leaves[left:])).digest()


def plain_path(index, leaves):
    if len(leaves) == 1:
        return []
    left = split(len(leaves))
    if index < left:
        return [*plain_path(index, leaves[:left]), plain_root(leaves[left:])]
    return [*plain_path(index - left, leaves[left:]), plain_root(leaves[:left])]


def plain_subproof(old, leaves, whole):
    if old == len(leaves):
        return [] if whole else [plain_root(leaves)]
    left = split(len(leaves))
    if old <= left:
        return [*plain_subproof(old, leaves[:left], whole), plain_root(leaves[left:])]
    return [*plain_subproof(old - left, leaves[left:], False), plain_root(leaves[:left])]


# --- the reference's vectors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(1, 9))
def test_root_is_the_references(size):
    assert REFERENCE.root(size).hex() == ROOTS[size - 1]
    assert root_of(REFERENCE.leaves[:size]).hex() == ROOTS[size - 1]


def test_empty_tree_has_the_root_of_nothing():
    assert Frontier().root == root_of([]) == EMPTY == hashlib.sha256(b"").digest()


@pytest.mark.parametrize(("which", "proof"), INCLUSION.items(), ids=str)
def test_inclusion_proof_is_the_references(which, proof):
    index, size = which
    assert [one.hex() for one in REFERENCE.inclusion(index, size)] == proof


@pytest.mark.parametrize(("which", "proof"), CONSISTENCY.items(), ids=str)
def test_consistency_proof_is_the_references(which, proof):
    assert [one.hex() for one in REFERENCE.consistency(*which)] == proof


# --- every size up to seventy: each proof passes, and is what a plain reading gives ----------------------------------


@pytest.mark.parametrize("size", [*range(1, 36), 63, 64, 65, 70])
def test_every_leaf_of_a_tree_is_proven_as_plainly_read(size):
    tree = made_up(size)
    assert tree.root(size) == plain_root(tree.leaves)
    for index, leaf in enumerate(tree.leaves):
        proof = tree.inclusion(index, size)
        assert proof == plain_path(index, tree.leaves)
        assert includes(root=tree.root(size), size=size, index=index, leaf=leaf, proof=proof)


@pytest.mark.parametrize("new", [*range(1, 36), 63, 64, 65, 70])
def test_every_growth_of_a_tree_is_proven_as_plainly_read(new):
    tree = made_up(new)
    for old in range(new + 1):
        proof = tree.consistency(old, new)
        assert proof == (plain_subproof(old, tree.leaves, True) if old else [])
        assert extends(old_root=tree.root(old), old=old, new_root=tree.root(new), new=new, proof=proof)


def test_nodes_of_a_tree_are_what_its_growth_made():
    tree = made_up(70)
    for size in range(71):
        assert [tree.nodes[node] for node in nodes_of(0, size)] == list(tree.heads[size].hashes)
    whole = {Node(level, at) for level in range(7) for at in range(70 >> level)}
    assert set(tree.nodes) == whole


# --- nothing else passes --------------------------------------------------------------------------------------------


@st.composite
def trees(draw, smallest=1):
    entries = draw(st.lists(st.binary(max_size=4), min_size=smallest, max_size=40))
    return Tree([bytes([number]) + entry for number, entry in enumerate(entries)])


@st.composite
def broken(draw, proof):
    """The proof with one thing wrong: a bit, one hash too many or too few, two that have changed places."""
    proof = list(proof)
    ways = ["longer"] + (["bit", "shorter", "cut"] if proof else []) + (["swapped"] if len(set(proof)) > 1 else [])
    way = draw(st.sampled_from(ways))
    at = draw(st.integers(0, max(0, len(proof) - 1)))
    if way == "longer":
        proof.insert(draw(st.integers(0, len(proof))), draw(st.sampled_from([SOME_HASH, b"", *proof])))
    elif way == "shorter":
        del proof[at]
    elif way == "cut":
        proof[at] = proof[at][:-1]
    elif way == "bit":
        bit = draw(st.integers(0, 255))
        changed = bytearray(proof[at])
        changed[bit // 8] ^= 1 << bit % 8
        proof[at] = bytes(changed)
    else:
        other = draw(st.sampled_from([nth for nth, one in enumerate(proof) if one != proof[at]]))
        proof[at], proof[other] = proof[other], proof[at]
    return proof


@seed(SEED)
@MANY
@given(st.data())
def test_changed_inclusion_proof_does_not_pass(data):
    tree = data.draw(trees())
    size = data.draw(st.integers(1, len(tree.leaves)))
    index = data.draw(st.integers(0, size - 1))
    proof = tree.inclusion(index, size)
    given_ = {"root": tree.root(size), "size": size, "index": index, "leaf": tree.leaves[index], "proof": proof}
    assert includes(**given_)
    other_leaf = data.draw(st.sampled_from([SOME_HASH, b"", tree.root(size) + b"\x00", *tree.leaves]))
    other_index = data.draw(st.integers(-2, 45))
    for changes in (
        {"proof": data.draw(broken(proof))},
        {"root": data.draw(st.sampled_from([SOME_HASH, EMPTY, b"", *(tree.root(n) for n in range(size))]))},
        {"leaf": other_leaf} if other_leaf != tree.leaves[index] else None,
        {"index": other_index} if other_index != index else None,
    ):
        assert changes is None or not includes(**given_ | changes), changes


@seed(SEED)
@MANY
@given(st.data())
def test_changed_consistency_proof_does_not_pass(data):
    tree = data.draw(trees())
    new = data.draw(st.integers(1, len(tree.leaves)))
    old = data.draw(st.integers(0, new))
    proof = tree.consistency(old, new)
    given_ = {"old_root": tree.root(old), "old": old, "new_root": tree.root(new), "new": new, "proof": proof}
    assert extends(**given_)
    roots = [SOME_HASH, b"", *(tree.root(n) for n in range(len(tree.leaves) + 1))]
    other_old, other_new = data.draw(st.sampled_from(roots)), data.draw(st.sampled_from(roots))
    sizes = data.draw(st.tuples(st.integers(-1, 45), st.integers(-1, 45)))
    for changes in (
        {"proof": data.draw(broken(proof))},
        {"old_root": other_old} if other_old != tree.root(old) else None,
        # What is empty is the beginning of anything, so there the new root is not proven to be anybody's.
        {"new_root": other_new} if old and other_new != tree.root(new) else None,
        {"old": sizes[0]} if sizes[0] != old else None,
    ):
        assert changes is None or not extends(**given_ | changes), changes


@seed(SEED)
@MANY
@given(st.data())
def test_history_that_was_rewritten_is_no_growth_of_the_old_one(data):
    tree = data.draw(trees(smallest=2))
    old = data.draw(st.integers(1, len(tree.leaves)))
    at = data.draw(st.integers(0, old - 1))
    entries = [b"%d" % number for number in range(len(tree.leaves))]
    tree, entries[at] = Tree(entries), b"rewritten"
    other, new = Tree(entries), len(entries)
    for proof in (tree.consistency(old, new), other.consistency(old, new)):
        assert not extends(old_root=tree.root(old), old=old, new_root=other.root(new), new=new, proof=proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_leaf_outside_the_tree_has_no_proof(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_ranges(index, size)
    assert not includes(root=SOME_HASH, size=size, index=index, leaf=SOME_HASH, proof=[])


@pytest.mark.parametrize(("old", "new"), [(2, 1), (-1, 3)])
def test_tree_does_not_grow_from_a_larger_one(old, new):
    with pytest.raises(ValueError, match="does not begin"):
        consistency_ranges(old, new)
    assert not extends(old_root=SOME_HASH, old=old, new_root=SOME_HASH, new=new, proof=[])


def test_leaf_and_node_cannot_be_taken_for_each_other():
    left, right = REFERENCE.leaves[:2]
    assert leaf_hash(left + right) != REFERENCE.root(2)
