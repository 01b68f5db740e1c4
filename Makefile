# Everything is done by scripts/, which can as well be called by hand.
#   PG_CONFIG=/path/to/pg_config   the PostgreSQL to use
#   PG_VERSION=16                  or just its major version
.PHONY: help run psql stop test test-versions test-clients package conformance-record bench install clean

help:
	@echo 'make run       build, start a private PostgreSQL under target/, load samples, query them'
	@echo 'make psql      psql on that server'
	@echo 'make stop      stop that server'
	@echo 'make test      all checks and tests'
	@echo 'make test-versions   regress, sessions and conformance on each PostgreSQL that can be had here (VERSIONS="16 18")'
	@echo 'make package   make a Debian package under target/package; scripts/test package tests it'
	@echo 'make test-clients   run the programs of docs/clients.md, with clients from their registries'
	@echo 'make conformance-record   ask Solr anew what make test compares with (needs Java 17 and Maven; SEED=1, QUERIES=8000, FACETS=3500)'
	@echo 'make bench     measure beside SQL, jsquery, Lucene and Solr, and write docs/benchmarks.md (N=1000000; more: scripts/bench)'
	@echo 'make install   install the extension into your own PostgreSQL'
	@echo 'make clean     stop that server and remove what was built'
	@echo
	@echo 'PG_CONFIG=/path/to/pg_config or PG_VERSION=14..18 choose the PostgreSQL.'

run:
	@scripts/run

psql:
	@target/psql

stop:
	@scripts/stop

test:
	@scripts/test

test-versions:
	@scripts/test-versions

package:
	@scripts/package

test-clients:
	@scripts/test-clients

conformance-record:
	@tests/conformance/record

bench:
	@scripts/bench

install:
	@scripts/install

clean:
	@scripts/stop --remove
