FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --require-hashes -r requirements.txt

COPY . .
# Static files need no secret; the settings want one to be there.
RUN python -m config.throwaway_secrets manage.py collectstatic --noinput --verbosity 0 \
    && useradd --system --no-create-home kalshi-live \
    && mkdir -p var/sandbox && chown kalshi-live var/sandbox && chmod 700 var/sandbox

USER kalshi-live
CMD ["python", "manage.py", "serve"]
