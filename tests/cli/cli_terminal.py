"""Claims about the command in a terminal: width, colour, questions, a reader that goes away, ^C."""
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import unittest

from programs import COMMAND, LOANS_APP, Programs


class Terminal(Programs):
    def terminal(self, *words, columns=80, typed="", **environment):
        """Runs the command in a terminal of its own: its exit code, and what stood on the screen."""
        screen, inside = pty.openpty()
        fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        env = {k: v for k, v in os.environ.items() if not k.startswith("PERDURE_") and k not in ("NO_COLOR", "COLUMNS")}
        env.update({"TERM": "xterm", **environment})
        with subprocess.Popen([COMMAND, *words], stdin=inside, stdout=inside, stderr=inside, cwd=self.folder.name,
                              env=env, start_new_session=True) as program:
            os.close(inside)
            os.write(screen, typed.encode())
            shown = b""
            until = time.monotonic() + 120
            while time.monotonic() < until:
                if not select.select([screen], [], [], 1)[0]:
                    continue
                try:
                    more = os.read(screen, 65536)
                except OSError:  # the other end is closed
                    break
                if not more:
                    break
                shown += more
            os.close(screen)
            return program.wait(), shown.decode().replace("\r\n", "\n")

    def test_help_is_as_wide_as_the_terminal_within_reason(self):
        for columns, most in ((40, 40), (60, 60), (100, 100), (400, 100), (5, 40), (0, 80)):
            code, text = self.terminal("rebuild-store", "--help", columns=columns)
            prose = [line for line in text.splitlines() if not line.startswith("  perdure")]
            self.assertEqual(code, 0)
            too_long = [line for line in prose if len(line) > most]  # one word needs its room
            self.assertEqual([line for line in too_long if " " in line[22:] or line[0] != " "], [], columns)
            self.assertTrue(max(len(line) for line in prose) > most - 20, columns)
            self.assertNotIn("\033", text)

    def test_colour_is_for_terminals_that_have_it(self):
        self.load("sqlite:x.db", 300)
        words = ("history", "loan/173688", "--journal", "sqlite:x.db", "--app", LOANS_APP)
        plain = self.works(COMMAND, *words)
        code, coloured = self.terminal(*words)
        self.assertEqual(code, 0)
        self.assertIn("\033[", coloured)
        for more in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            self.assertNotIn("\033", self.terminal(*words, **more)[1], more)
        self.assertNotIn("\033", plain)
        self.assertNotIn("\033", self.terminal(*words, "--json")[1])

    def test_what_would_be_dropped_is_asked_for(self):
        self.load("sqlite:x.db", 300)
        words = ("snapshot", "drop", "--revision", "all", "--journal", "sqlite:x.db")
        before = self.dump("--journal", "sqlite:x.db")
        for typed in ("\n", "n\n", "no\n", "\004"):
            code, text = self.terminal(*words, typed=typed)
            self.assertEqual(code, 4, (typed, text))
            self.assertIn("[y/N]", text)
            self.assertIn("nothing was done", text)
            self.assertEqual(self.dump("--journal", "sqlite:x.db"), before)
        code, text = self.terminal(*words, typed="y\n")
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r"drop \d+ states, \d+ bytes\? \[y/N\]")
        self.assertNotEqual(self.dump("--journal", "sqlite:x.db"), before)

    def test_head_ends_long_output_without_a_word(self):
        self.load("sqlite:x.db", 3000)
        for words in ("store dump", "grep", "entity list", "stats --json", "completion bash"):
            line = "%s %s --journal sqlite:x.db | head -n 1; echo ${PIPESTATUS[0]}" % (COMMAND, words)
            done = self.run_in("bash", "-c", line.replace("bash --journal sqlite:x.db", "bash"))
            self.assertEqual((done.stderr, done.stdout.splitlines()[-1]), ("", "0"), words)

    def test_an_interrupt_ends_what_follows_a_log(self):
        self.load("sqlite:x.db", 300)
        with subprocess.Popen([COMMAND, "tail", "--follow", "--events", "1", "--journal", "sqlite:x.db"], text=True,
                              cwd=self.folder.name, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            self.assertTrue(program.stdout.readline())
            program.send_signal(signal.SIGINT)
            self.assertIn(program.wait(240), (0, 6))
            self.assertEqual(program.stderr.read(), "")


if __name__ == "__main__":
    unittest.main()
