#!/bin/sh
# The kernels that were compiled with the image move to where more can be added: the image itself may be read-only.
set -eu
if [ ! -d "$NUMBA_CACHE_DIR" ]; then
    cp -r /opt/numba "$NUMBA_CACHE_DIR" || echo "no compiled kernels; the first requests will take some seconds" >&2
fi
exec "$@"
