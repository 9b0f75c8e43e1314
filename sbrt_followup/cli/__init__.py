"""Commands: options, one call, a renderer, an exit code; the only place that catches errors.

Exit codes: 0 done, 1 findings (an audit, check or validation found something), 2 input or usage refused.
"""

from __future__ import annotations

import sys

from ..problems import InputRefused


def main() -> None:
    """Run the program; turn refusals into one readable list and never show a traceback with data in it."""
    from .app import app

    try:
        app(prog_name="sbrt-followup")
    except InputRefused as refused:
        for problem in refused.problems:
            print(f"{problem.severity}: {problem}", file=sys.stderr)
        count = len(refused.problems)
        print(f"sbrt-followup: {count} problem{'s' if count != 1 else ''}; nothing was written.", file=sys.stderr)
        sys.exit(2)
    except BrokenPipeError:
        # The reader (head, less) closed the pipe: not an error of ours.
        sys.stderr.close()
        sys.exit(0)
    except MemoryError:
        print("sbrt-followup: not enough memory; split the cohort, or use a Parquet file.", file=sys.stderr)
        sys.exit(2)
    except Exception as error:  # an identifier could stand in any traceback, so only its place is shown
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}" if trace else "?"
        print(f"sbrt-followup: internal error {type(error).__name__} at {place}. Please report it.", file=sys.stderr)
        sys.exit(2)
