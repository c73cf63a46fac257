"""One BLAS thread for every test, set before numpy is imported: implicit warns otherwise, and results stay the same."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
