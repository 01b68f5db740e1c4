# A PostgreSQL server with session_store, as its own user:
#   docker build -t session_store .          (--build-arg PG=17 for another version)
#   docker run -e POSTGRES_PASSWORD=… -p 5432:5432 session_store
# The database that the image makes at its first start has the extension.
ARG PG=15

FROM postgres:${PG}-bookworm AS build
ARG PG
COPY --from=rust:1-bookworm /usr/local/rustup /usr/local/rustup
COPY --from=rust:1-bookworm /usr/local/cargo /usr/local/cargo
ENV RUSTUP_HOME=/usr/local/rustup CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:$PATH
WORKDIR /src
COPY . .
# deps brings the server's headers, libclang and a C compiler.
RUN PG_VERSION=$PG scripts/deps \
    && PG_CONFIG=/usr/lib/postgresql/$PG/bin/pg_config DESTDIR=/out scripts/install

FROM postgres:${PG}-bookworm
COPY --from=build /out/ /
RUN echo 'CREATE EXTENSION session_store;' > /docker-entrypoint-initdb.d/session_store.sql
# postgres, by number, so that an orchestrator can see that it is not root
USER 999:999
