# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium, driven by WebDriver: opens a page, takes its picture, says what it loaded and
what it complained about.  Needs Debian's chromium and chromium-driver."""
import base64
import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request

PATIENCE = 120  # seconds for an answer, on a busy host, too


class Missing(Exception):
    """There is no browser on this computer."""


class Browser:
    """A browser with one page; a context manager.  What is not there is Missing; what does not work, an error."""

    def __init__(self):
        self.program = shutil.which('chromium')
        self.driver = shutil.which('chromedriver')
        if not self.program or not self.driver:
            raise Missing('there is no chromium here: apt-get install chromium chromium-driver')

    def __enter__(self):
        self.process = subprocess.Popen([self.driver, '--port=0'], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.ask('DELETE', self.session)
        finally:
            self.stop()

    def start(self):
        # It chooses a port and says: ... started successfully on port N.
        for line in self.process.stdout:
            port = re.search(r'successfully on port (\d+)', line)
            if port:
                self.base = f'http://127.0.0.1:{port[1]}'
                break
        else:
            raise RuntimeError('chromedriver does not start')
        options = {
            'binary': self.program,
            # As root, as in CI, there is no sandbox; the page is our own.
            'args': ['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars',
                     '--disable-dev-shm-usage', '--force-color-profile=srgb'],
        }
        answer = self.ask('POST', '/session', {'capabilities': {'alwaysMatch': {
            'goog:chromeOptions': options,
            'goog:loggingPrefs': {'browser': 'ALL', 'performance': 'ALL'},
        }}})
        self.session = f'/session/{answer["sessionId"]}'

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {'Content-Type': 'application/json'},
                                         method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)['value']['message']) from error

    def devtools(self, command, **parameters):
        return self.ask('POST', f'{self.session}/goog/cdp/execute', {'cmd': command, 'params': parameters})

    def log(self, kind):
        return self.ask('POST', f'{self.session}/se/log', {'type': kind})

    def open(self, url, width, height, scheme='light'):
        """Opens a page in a window of that size; what was logged before is forgotten."""
        self.devtools('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1,
                      mobile=False)
        self.devtools('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': scheme}])
        self.log('browser')
        self.log('performance')
        self.ask('POST', f'{self.session}/url', {'url': url})
        time.sleep(0.2)  # what a page does on its own after it has been loaded

    def run(self, script, *arguments):
        """The value of a script, run in the page, whose own security policy does not stop it."""
        return self.ask('POST', f'{self.session}/execute/sync', {'script': script, 'args': arguments})

    def picture(self, path, height=None):
        """A PNG of the page from its top on, by default of all of it."""
        width, whole = self.run('return [innerWidth, document.documentElement.scrollHeight]')
        data = self.devtools('Page.captureScreenshot', captureBeyondViewport=True, clip={
            'x': 0, 'y': 0, 'width': width, 'height': height or whole, 'scale': 1})['data']
        with open(path, 'wb') as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """What the page has written to the console."""
        return [entry['message'] for entry in self.log('browser')]

    def requests(self):
        """The URLs that the page has asked for."""
        messages = [json.loads(entry['message'])['message'] for entry in self.log('performance')]
        return [message['params']['request']['url'] for message in messages
                if message['method'] == 'Network.requestWillBeSent']
