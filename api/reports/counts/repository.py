"""Crime counts as rows and as the resource that the gate reads."""



from api.places.tables import District, Municipality
from api.reports.tables import CrimeCount
from api.store.base import table_of

_COUNTS = table_of(CrimeCount)
_DISTRICTS, _MUNICIPALITIES = table_of(District), table_of(Municipality)
