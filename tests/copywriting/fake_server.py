"""A small HTTP server on the loopback address that answers as both services do, well or badly; for the real SDKs."""

import json
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def openai_answer(text="Fine.", finish="stop", refusal=None, tokens=(10, 5)):
    """A chat completion as the service sends it (constructed)."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    usage = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)}
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}


def anthropic_answer(text="Fine.", stop="end_turn", tokens=(10, 5)):
    """A message as the service sends it (constructed)."""
    content = [{"type": "text", "text": text}] if text else []
    usage = {"input_tokens": tokens[0], "output_tokens": tokens[1]}
    return {
        "id": "x", "type": "message", "role": "assistant", "model": "m", "content": content, "stop_reason": stop,
        "stop_sequence": None, "usage": usage,
    }  # fmt: skip


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(body), dict(self.headers)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = answer(self.path) if callable(answer) else answer
        status, payload, headers = answer
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        with suppress(BrokenPipeError, ConnectionResetError):  # the client did not wait
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *args):
        pass


@contextmanager
def serve(*answers):
    """A server of answers, (status, body, headers) or a function of the path; the last one stays."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.answers, server.asked, server.daemon_threads = list(answers), [], True
    server.address = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def slow(seconds, answer):
    """The answer, after a while."""

    def wait(path):
        time.sleep(seconds)
        return answer

    return wait
