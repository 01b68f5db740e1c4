import json
import os
from decimal import Decimal

import django
import simplejson
from django.conf import settings
from django.db import connection, models, transaction

settings.configure(
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": os.environ["PGHOST"],
            "PORT": os.environ["PGPORT"],
            "USER": os.environ["PGUSER"],
            "PASSWORD": os.environ["PGPASSWORD"],
            "NAME": os.environ["PGDATABASE"],
        }
    }
)
django.setup()


@models.JSONField.register_lookup
class Matches(models.Lookup):
    """`filter(doc__matches=query)` is `doc @@@ query`."""

    lookup_name = "matches"
    prepare_rhs = False  # the query is text, and not JSON

    def get_db_prep_lookup(self, value, connection):
        return "%s", [value]

    def as_sql(self, compiler, connection):
        document, document_parameters = self.process_lhs(compiler, connection)
        query, query_parameters = self.process_rhs(compiler, connection)
        return f"{document} @@@ {query}", [*document_parameters, *query_parameters]


class ExactDecoder(json.JSONDecoder):
    def __init__(self, **options):
        super().__init__(parse_float=Decimal, **options)


class Session(models.Model):
    id = models.TextField(primary_key=True)
    doc = models.JSONField(decoder=ExactDecoder)

    class Meta:
        app_label = "clients"
        db_table = '"sessions"."clients"'
        managed = False


class Alert(models.Model):
    q = models.TextField()

    class Meta:
        app_label = "clients"
        db_table = "alerts"
        managed = False


documents = [
    {"id": 1, "name": "Ann", "total": 9007199254740993, "price": Decimal("1.10"), "tags": ["a", "b"]},
    {"id": 2, "name": "Bob", "tags": ["b"]},
    {"id": 3, "name": "O'Brien"},
]
with connection.cursor() as cursor:
    # DjangoJSONEncoder would write a Decimal as a string.
    operations = simplejson.dumps([{"upsert": documents}], use_decimal=True)
    cursor.execute("SELECT session_update(%s, %s::jsonb)", ["clients", operations])

found = [session.doc for session in Session.objects.filter(doc__matches="name:Ann AND tags:b")]
print(f"{len(found)} match, total {found[0]['total']}, price {found[0]['price']}")

# iterator() reads through a cursor in the server. In a transaction, that cursor holds the rows.
with transaction.atomic():
    rows = Session.objects.filter(doc__matches="*:*").order_by("id").iterator(chunk_size=1000)
    print("streamed", *(session.doc["id"] for session in rows))

print("alert", Alert.objects.get(id=1).q)
