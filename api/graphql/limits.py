"""What a query may cost before it is validated: tokens, depth, aliases, root fields, fragments followed at most once.

Checked on the parsed text, because validation itself can be made expensive.
"""

from graphql import DocumentNode, FieldNode, FragmentSpreadNode, GraphQLError, SelectionSetNode
from graphql.language import FragmentDefinitionNode, InlineFragmentNode, OperationDefinitionNode

MAX_TOKENS = 2000
MAX_DEPTH = 12
MAX_ALIASES = 50
MAX_FIELDS = 1000
# PostgreSQL cuts longer identifiers, and a cut alias would answer under another name.
MAX_NAME = 63


class _Count:
    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self.fields = self.aliases = 0

    def walk(self, selections: SelectionSetNode | None, depth: int, within: frozenset[str]) -> None:
        if selections is None:
            return
        if depth > MAX_DEPTH:
            raise GraphQLError(f"the query is nested deeper than {MAX_DEPTH} levels; ask in several queries")
        for node in selections.selections:
            if isinstance(node, FieldNode):
                self._field(node)
                self.walk(node.selection_set, depth + 1, within)
            elif isinstance(node, InlineFragmentNode):
                self.walk(node.selection_set, depth + 1, within)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                fragment = self.fragments.get(name)
                # A fragment within itself is validation's to refuse; here it must only not run for ever.
                if fragment is not None and name not in within:
                    self.walk(fragment.selection_set, depth + 1, within | {name})

    def _field(self, node: FieldNode) -> None:
        self.fields += 1
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
            count.walk(definition.selection_set, 1, frozenset())
