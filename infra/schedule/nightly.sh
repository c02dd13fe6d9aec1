#!/usr/bin/env bash
# A night: preprocess what is new, train what is not trained, score. nightly.sh EXPERIMENT.yaml [key=value ...]
# The first job that does not end well ends the night, with its exit code: 1 partly failed, 2 a mistake to mend.
# All three can be run again: what is done is kept, what was interrupted goes on.
set -euo pipefail
if (($# == 0)); then
  echo "usage: nightly.sh EXPERIMENT.yaml [key=value ...]" >&2
  exit 2
fi
jobs="$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../../jobs"
for job in preprocess train evaluate; do
  echo "$(date --utc +%FT%TZ) $job $*"
  python "$jobs/$job.py" "$@"
done
