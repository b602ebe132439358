#!/usr/bin/env python3
"""Do the tests notice? Each promise is broken on purpose, and its test has to fail.

    tests/proof/mutants.py [NAME ...]

Works in a copy of the sources, with a target folder of its own that is kept between runs. Leaves with
1 when a mutant lives.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "target" / "mutants"

# name: ([(file, what stands there once, what takes its place)], the test that has to fail)
MUTANTS = {
    "synchronous = NORMAL": (
        [("src/delivery/ledger/schema.rs", "synchronous = FULL; PRAGMA wal", "synchronous = NORMAL; PRAGMA wal")],
        ["powercut"],
    ),
    "result recorded before the reply": (
        [
            (
                "src/delivery/run/worker.rs",
                "        let exchange = tokio::select! {",
                """        let early = Entry { state: State::Sent, code: Some(250), reply: String::new(), at: shared.clock.now(), next_at: None };
        shared.ledger.record(shared.plan.campaign, task.claim.seq, early);
        let exchange = tokio::select! {""",
            )
        ],
        ["--lib", "simulation"],
    ),
    "dot before its intent is durable": (
        [
            (
                "src/delivery/transport/smtp/exchange.rs",
                """        if let Err(error) = intent.durable().await {
            return (Exchange::Books(error), Fit::Unusable);
        }""",
                "        drop(intent);",
            )
        ],
        ["powercut"],
    ),
    "timed-out connection used again": (
        [
            (
                "src/delivery/transport/smtp/exchange.rs",
                "            Err(why) => (exchange(lost(asked, why)), Fit::Unusable),\n        }\n    }\n\n    /// Says one",
                "            Err(why) => (exchange(lost(asked, why)), Fit::Ready),\n        }\n    }\n\n    /// Says one",
            ),
            (
                "src/delivery/run/worker.rs",
                "if !matches!(outcome, Outcome::Unknown { .. }) {\n                    line.was",
                "if true {\n                    line.was",
            ),
        ],
        ["--test", "it", "delivery_faults"],
    ),
    "a limiter for each worker": (
        [
            (
                "src/delivery/run/shared.rs",
                "    pub(super) limiter: Limiter,\n",
                "    pub(super) limiter: Limiter,\n    pub(super) own: Vec<Limiter>,\n",
            ),
            (
                "src/delivery/run/shared.rs",
                "                limiter: Limiter::new(&limits, &past, time),\n",
                "                own: (0..limits.connections.max(1)).map(|_| Limiter::new(&limits, &past, time)).collect(),\n"
                "                limiter: Limiter::new(&limits, &past, time),\n",
            ),
            ("src/delivery/run/worker.rs", "permit = self.way.limiter.permit(", "permit = self.way.own[self.number].permit("),
            ("src/delivery/run/worker.rs", "if self.way.limiter.holds(", "if self.way.own[self.number].holds("),
        ],
        ["--test", "it", "delivery_books"],
    ),
    "recovery from sending to pending": (
        [("src/delivery/ledger/change.rs", "state: State::Unknown,", "state: State::Pending,")],
        ["--lib", "simulation"],
    ),
}


def copy():
    folder = Path(tempfile.mkdtemp(prefix="mutants-"))
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, files.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def passes(folder, test):
    def cargo(*arguments):
        return subprocess.run(["cargo", *arguments, "--target-dir", TARGET], cwd=folder, capture_output=True, text=True)

    if test != ["powercut"]:
        built = cargo("test", "--no-run", *test[:-1])
        assert built.returncode == 0, built.stderr
        return cargo("test", *test).returncode == 0
    built = cargo("build")
    assert built.returncode == 0, built.stderr
    proof = [folder / "tests/proof/powercut.py", TARGET / "debug/letterpress", "--cuts", "20", "--connections", "8"]
    return subprocess.run([sys.executable, *proof], capture_output=True).returncode == 0


def main():
    names = sys.argv[1:] or MUTANTS
    folder = copy()
    alive = []
    for name in names:
        edits, test = MUTANTS[name]
        sound = {}
        for file, old, new in edits:
            text = sound.setdefault(file, (folder / file).read_text())
            assert text.count(old) == 1, f"{name}: `{old}` stands {text.count(old)} times in {file}"
            (folder / file).write_text((folder / file).read_text().replace(old, new))
        lives = passes(folder, test)
        for file, text in sound.items():
            (folder / file).write_text(text)
        print(f"{name:<34} {'ALIVE' if lives else 'caught'} by {' '.join(test)}", flush=True)
        if lives:
            alive.append(name)
    shutil.rmtree(folder)
    sys.exit(1 if alive else 0)


if __name__ == "__main__":
    main()
