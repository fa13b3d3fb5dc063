"""A real Slurm on loopback: munged, slurmctld, and one slurmd for each of its nodes."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 300.0  # seconds; on an idle machine all is up after two
CONFIG = """\
ClusterName=test
SlurmUser=root
SlurmctldHost=localhost
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=20
MinJobAge=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdSpoolDir={folder}/spool-%n
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=1\n"
NAMES = ("one", "two")


@dataclass
class Slurm:
    """What a client needs, and what its user would type."""

    environment: Mapping[str, str]

    def run(self, *words: str) -> str:
        environment = {**os.environ, **self.environment}
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def requeue(self, task: str) -> None:
        """Have a task begin again, and at once: Slurm would wait two minutes."""
        self.run("scontrol", "requeue", task)
        self.start_now(task)

    def start_now(self, task: str) -> None:
        wait_until(lambda: "PENDING" in self.state(task), f"{task} is not queued again")
        self.run("scontrol", "update", f"JobId={task}", "StartTime=now")

    def end_jobs(self) -> None:
        """End what still waits or runs: it would outlive its daemons."""
        self.run("scancel", "--full", "--signal=KILL", "--user=root", "--state=RUNNING")
        self.run("scancel", "--user=root")
        wait_until(lambda: not self.run("squeue", "--noheader"), "jobs that do not end")

    def state(self, task: str) -> str:
        listed = self.run("squeue", "--noheader", "--array", "--format=%F_%K %T")
        return next((each for each in listed.splitlines() if each.split()[0] == task), "")


def missing() -> str:
    """Say why there can be no Slurm here; "" if it can."""
    programs = ("munged", "slurmctld", "slurmd", "sbatch")
    lacking = [name for name in programs if not shutil.which(name, path=_path())]
    if lacking:
        return f"{', '.join(lacking)}: not installed (Debian: slurm-wlm, munge)"
    return "" if os.geteuid() == 0 else "only root may start Slurm"


@contextmanager
def slurm_cluster(folder: Path) -> Iterator[Slurm]:
    """Run a cluster of two nodes of one CPU each, with all its files in `folder`."""
    folder.mkdir(parents=True)
    config = folder / "slurm.conf"
    port, *ports = _free_ports(1 + len(NAMES))
    host = socket.gethostname()
    nodes = [
        NODE.format(name=name, host=host, port=its) for name, its in zip(NAMES, ports, strict=True)
    ]
    config.write_text("".join(nodes) + CONFIG.format(folder=folder, port=port))
    (folder / "key").write_bytes(os.urandom(128))
    (folder / "key").chmod(0o400)
    for name in ("state", *(f"spool-{name}" for name in NAMES)):
        (folder / name).mkdir()
    slurm = Slurm({"SLURM_CONF": str(config)})
    files = {"key-file": "key", "socket": "munge.socket", "pid-file": "munged.pid",
             "log-file": "munged.log", "seed-file": "seed"}  # fmt: skip
    munged = [f"--{option}={folder / name}" for option, name in files.items()]
    with ExitStack() as stack:
        stack.enter_context(_daemon(folder, "munged", "--foreground", "--force", *munged))
        wait_until((folder / "munge.socket").exists, "no munged")
        stack.enter_context(_daemon(folder, "slurmctld", "-D", "-f", str(config)))
        for name in NAMES:
            stack.enter_context(_daemon(folder, "slurmd", "-D", "-N", name, "-f", str(config)))
        wait_until(lambda: _idle(slurm) == len(NAMES), f"no cluster; see {folder}")
        try:
            yield slurm
        finally:
            slurm.end_jobs()


def _idle(slurm: Slurm) -> int:
    environment = {**os.environ, **slurm.environment}
    command = ["sinfo", "--noheader", "--Node", "--states=idle"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return len(done.stdout.splitlines())


def _free_ports(count: int) -> list[int]:
    """Find so many that differ: one that was let go may be given out again."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def _daemon(folder: Path, *words: str) -> Iterator[None]:
    with (folder / f"{words[0]}.log").open("ab") as log:
        environment = {**os.environ, "PATH": _path()}
        process = subprocess.Popen(words, stdout=log, stderr=log, env=environment)
        try:
            yield
        finally:
            process.terminate()
            process.wait()


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin"


def wait_until(condition: Callable[[], object], message: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, message
        time.sleep(0.05)
