"""One BLAS thread for every test, set before numpy is imported: implicit warns otherwise, and results stay the same."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
for _key in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY"):  # no test asks a service, no notebook pays one
    os.environ.pop(_key, None)
