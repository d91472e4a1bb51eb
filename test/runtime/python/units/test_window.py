import unittest
from threading import Thread

from swiftlet_runtime.frames import INITIAL_CREDIT_BYTES
from swiftlet_runtime.window import Window


class Credit(unittest.TestCase):
    def test_what_is_reserved_is_gone_until_it_is_given_back(self):
        window = Window()
        self.assertEqual(window.reserve(INITIAL_CREDIT_BYTES - 10), INITIAL_CREDIT_BYTES - 10)
        self.assertEqual([window.reserve(64), window.reserve(64)], [10, 0])
        window.widen(5)
        self.assertEqual(window.reserve(64), 5)

    def test_who_waits_goes_on_with_credit_and_with_the_end(self):
        for change, expected in ((lambda window: window.widen(3), 3), (lambda window: window.close(), None)):
            window = Window()
            window.reserve(INITIAL_CREDIT_BYTES)
            got = []

            def waits(window=window, got=got):
                window.wait()
                got.append(window.reserve(64))

            waiting = Thread(target=waits)
            waiting.start()
            change(window)
            waiting.join(5)
            self.assertEqual(got, [expected])
