"""What holds for all tests."""

import os
import signal

# Who starts the tests in the background of a shell hands on that Ctrl-C is to be ignored, to every process that a test
# starts and then asks to stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test asks a server of the world's; those of downloads say so themselves, and have one of their own.
os.environ["FULLSHOT_WEIGHTS_DOWNLOAD"] = "never"
