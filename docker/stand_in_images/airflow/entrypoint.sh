#!/bin/sh
# What the entry point of apache/airflow does with a command: its own names run as they are, the rest is Airflow's.
set -eu
case ${1:-} in
  airflow | bash | python | sh) exec "$@" ;;
  *) exec airflow "$@" ;;
esac
