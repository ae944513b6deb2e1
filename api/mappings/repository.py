"""Mappings as rows and as the resource that the gate reads."""

from sqlalchemy import Text, bindparam
from sqlalchemy.types import Uuid

from api.disclosure.resource import AS_OF, Filter, Resource
from api.mappings.tables import Mapping
from api.store.base import table_of

_MAPPINGS = table_of(Mapping)

MAPPINGS = Resource(
    name="mapping",
    source=_MAPPINGS,
    key=_MAPPINGS.c.id,
    base=_MAPPINGS.c.mapped_on <= AS_OF,
    fields={
        "id": _MAPPINGS.c.id,
        "scene": _MAPPINGS.c.scene_id,
        "mappedOn": _MAPPINGS.c.mapped_on,
        "mappedBy": _MAPPINGS.c.mapped_by,
        "affected": _MAPPINGS.c.affected,
        "physicalPlace": _MAPPINGS.c.physical_place,
        "use": _MAPPINGS.c.use,
        "substances": _MAPPINGS.c.substances,
        "policeWork": _MAPPINGS.c.police_work,
        "partners": _MAPPINGS.c.partners,
        "hotspots": _MAPPINGS.c.hotspots,
        "timePattern": _MAPPINGS.c.time_pattern,
        "interviews": _MAPPINGS.c.interviews,
    },
    order=(_MAPPINGS.c.mapped_on.desc(), _MAPPINGS.c.id),
    sorts={"mappedOn": _MAPPINGS.c.mapped_on, "policeWork": _MAPPINGS.c.police_work},
    filters={
        "id": Filter(("id",), _MAPPINGS.c.id == bindparam("id", type_=Uuid()), lambda v: {"id": v}),
        "scene": Filter(("scene",), _MAPPINGS.c.scene_id == bindparam("scene", type_=Uuid()), lambda v: {"scene": v}),
        "policeWork": Filter(
            ("policeWork",),
            _MAPPINGS.c.police_work.icontains(bindparam("policeWork", type_=Text()), autoescape=False),
            lambda v: {"policeWork": v},
        ),
    },
)
