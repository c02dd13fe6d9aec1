#!/usr/bin/env bash
# A night: nightly.sh EXPERIMENT.yaml [key=value ...] [--date YYYY-MM-DD]; jobs/nightly.py says what it does.
# It ends with the job's exit code: 1 done but for recordings that failed, 2 a mistake to mend, 70 any other failure.
# Run again, it goes on, and does nothing twice.
set -euo pipefail
if (($# == 0)); then
  echo "usage: nightly.sh EXPERIMENT.yaml [key=value ...] [--date YYYY-MM-DD]" >&2
  exit 2
fi
echo "$(date --utc +%FT%TZ) nightly $*"
exec python "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../../jobs/nightly.py" "$@"
