"""What a query may cost before it is validated: tokens, depth, aliases, repetitions, fragments followed at most once.

Checked on the parsed text, because validation itself can be made expensive.
"""

from collections import Counter

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, GraphQLError, SelectionSetNode
from graphql.language import FragmentDefinitionNode, InlineFragmentNode, OperationDefinitionNode

MAX_TOKENS = 2000
MAX_DEPTH = 12
MAX_ALIASES = 50
MAX_FIELDS = 1000
# Validation compares every two fields that answer under one key in one place.
MAX_REPEATED = 20
# Fragments that spread each other again and again grow a short text without bound, with or without a field in them.
MAX_SELECTIONS = 2000
# PostgreSQL cuts longer identifiers, and a cut alias would answer under another name.
MAX_NAME = 63


class _Count:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.fields = self.aliases = self.selections = 0
        self.repeated: Counter[tuple[str, ...]] = Counter()

    def walk(
        self, selections: SelectionSetNode | None, depth: int, within: frozenset[str], place: tuple[str, ...]
    ) -> None:
        if selections is None:
            return
        if depth > MAX_DEPTH:
            raise GraphQLError(f"the query is nested deeper than {MAX_DEPTH} levels; ask in several queries")
        for node in selections.selections:
            self.selections += 1
            if self.selections > MAX_SELECTIONS:
                raise GraphQLError(f"the query spreads to more than {MAX_SELECTIONS} selections; ask for less")
            if isinstance(node, FieldNode):
                here = (*place, (node.alias or node.name).value)
                self._field(node, here)
                self.walk(node.selection_set, depth + 1, within, here)
            elif isinstance(node, InlineFragmentNode):
                self.walk(node.selection_set, depth + 1, within, place)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments.get(name)
                # A fragment within itself is validation's to refuse; here it must only not run for ever.
                if fragment is not None and name not in within:
                    self.walk(fragment.selection_set, depth + 1, within | {name}, place)

    def _field(self, node: FieldNode, place: tuple[str, ...]) -> None:
        self.fields += 1
        self.repeated[place] += 1
        if self.repeated[place] > MAX_REPEATED:
            raise GraphQLError(f"a field is asked for more than {MAX_REPEATED} times in one place; once is enough")
        self.aliases += node.alias is not None
        if self.aliases > MAX_ALIASES:
            raise GraphQLError(f"the query has more than {MAX_ALIASES} aliases; ask in several queries")
        if self.fields > MAX_FIELDS:
            raise GraphQLError(f"the query has more than {MAX_FIELDS} fields; ask in several queries")
        if node.alias is not None and len(node.alias.value) > MAX_NAME:
            raise GraphQLError(f"an alias is longer than {MAX_NAME} characters")


def check_limits(document: DocumentNode) -> None:
    """Raise `GraphQLError` for a document that asks for more than one query may."""
    count = _Count(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            count.repeated.clear()
            count.walk(definition.selection_set, 1, frozenset(), ())
        elif isinstance(definition, FragmentDefinitionNode):
            # Validation reads a fragment by itself too, whether or not anything spreads it.
            _Count(document).walk(definition.selection_set, 1, frozenset({definition.name.value}), ())
