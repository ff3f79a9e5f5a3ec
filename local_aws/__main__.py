"""Command line of the stand-in: `python -m local_aws --port P --state-dir DIR`."""

import argparse
import sys
from pathlib import Path

from local_aws.job_environments import DEFAULT_FILE, EnvironmentsFileError, read_environments
from local_aws.server import ServerSettings, StartError, serve


def main() -> int:
    """Read the arguments and serve; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local_aws", description="AWS stand-in for a laptop")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback only)")
    parser.add_argument("--port", type=int, default=4566, help="port to listen on; 0 takes a free one")
    parser.add_argument("--state-dir", type=Path, required=True, help="directory that keeps everything")
    parser.add_argument(
        "--outbox",
        type=Path,
        help="directory for SNS messages, one file each (default: outbox in the state directory)",
    )
    parser.add_argument(
        "--environments", type=Path, default=DEFAULT_FILE, help="which Python runs which image"
    )
    parser.add_argument("--concurrent-jobs", type=int, default=2, help="jobs that run at the same time")
    parser.add_argument(
        "--stop-grace-seconds",
        type=float,
        default=120.0,
        help="time between SIGTERM and SIGKILL of a stopped job",
    )
    parser.add_argument("--request-log", type=Path, help="file that gets one line of JSON per request")
    arguments = parser.parse_args()
    try:
        serve(
            ServerSettings(
                host=arguments.host,
                port=arguments.port,
                state_directory=arguments.state_dir.resolve(),
                outbox_directory=(arguments.outbox or arguments.state_dir / "outbox").resolve(),
                environments=read_environments(arguments.environments),
                concurrent_jobs=arguments.concurrent_jobs,
                stop_grace_seconds=arguments.stop_grace_seconds,
                request_log=arguments.request_log and arguments.request_log.resolve(),
            )
        )
    except (StartError, EnvironmentsFileError) as error:
        print(f"local_aws: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
