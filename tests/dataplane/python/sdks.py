"""Asks with the official SDKs as the tests say.

A job is a line of JSON on standard input, what came of it a line on standard
output, and so are the first words of a stream, at the moment they are seen.
"""

import asyncio
import functools
import json
import ssl
import sys
import threading
from typing import Any, Callable, NamedTuple

import anthropic
import httpx2
import openai


class API(NamedTuple):
    resource: Callable  # of a client
    ask: Callable  # the arguments that ask with the given words
    answer: Callable  # the words and the end of a whole answer
    event: Callable  # those of an event
    final: str = ""  # of a helper: what gives the whole answer


def chat(words):
    return {"model": "m", "messages": [{"role": "user", "content": words}]}


def spoken(m):
    """The words of a message or a delta of chat, and what it would have tools do."""
    return (m.content or "") + "".join(c.function.arguments or "" for c in m.tool_calls or [])


def chat_event(e):
    e = getattr(e, "chunk", e)  # of the helper
    choices = getattr(e, "choices", [])
    return "".join(spoken(c.delta) for c in choices), last(c.finish_reason for c in choices)


def responses_answer(a):
    return a.output_text + "".join(i.arguments for i in a.output if i.type == "function_call"), a.status


def responses_event(e):
    if e.type in ("response.output_text.delta", "response.function_call_arguments.delta"):
        return e.delta, None
    return "", e.response.status if e.type in ("response.completed", "response.incomplete") else None


def messages_event(e):
    if e.type == "content_block_delta":
        return getattr(e.delta, "text", None) or getattr(e.delta, "partial_json", ""), None
    return "", e.delta.stop_reason if e.type == "message_delta" else None


def blocks(answer):
    """The words of a message, and what it would have tools do."""
    return "".join(b.text if b.type == "text" else json.dumps(b.input, separators=(",", ":")) for b in answer.content), answer.stop_reason


def last(values):
    return ([None] + [v for v in values if v])[-1]


MESSAGES = dict(
    ask=lambda words: chat(words) | {"max_tokens": 100}, answer=blocks, event=messages_event, final="get_final_message"
)
APIS = {
    "chat_completions": API(
        lambda c: c.chat.completions, chat,
        lambda a: ("|".join(spoken(c.message) for c in a.choices), a.choices[0].finish_reason),
        chat_event, "get_final_completion",
    ),
    "completions": API(
        lambda c: c.completions, lambda words: {"model": "m", "prompt": words},
        lambda a: (a.choices[0].text, a.choices[0].finish_reason),
        lambda e: ("".join(c.text for c in e.choices), last(c.finish_reason for c in e.choices)),
    ),
    "responses": API(
        lambda c: c.responses, lambda words: {"model": "m", "input": words},
        responses_answer, responses_event, "get_final_response",
    ),
    "embeddings": API(
        lambda c: c.embeddings, lambda words: {"model": "m", "input": words, "encoding_format": "float"},
        lambda a: (str(a.data[0].embedding), None), None,
    ),
    "models": API(lambda c: c.models, lambda words: {}, lambda a: (a.data[0].id, None), None),
    "messages": API(lambda c: c.messages, **MESSAGES),
    "messages_beta": API(lambda c: c.beta.messages, **MESSAGES),
}

HTTP_CLIENTS = {
    "OpenAI": openai.DefaultHttpxClient, "AsyncOpenAI": openai.DefaultAsyncHttpxClient,
    "Anthropic": anthropic.DefaultHttpxClient, "AsyncAnthropic": anthropic.DefaultAsyncHttpxClient,
}


@functools.cache
def roots(ca):
    return ssl.create_default_context(cafile=ca)


def client(job):
    """A client as the users of the SDK set it up."""
    vendor, base = (anthropic, "") if job["api"].startswith("messages") else (openai, "/v1")
    name = {anthropic: "Anthropic", openai: "OpenAI"}[vendor]
    if job["async"]:
        name = "Async" + name
    key = "auth_token" if vendor is anthropic and not job["api_key"] else "api_key"
    http = HTTP_CLIENTS[name](verify=roots(job["ca"]))
    timeout = {"timeout": job["timeout"]} if job["timeout"] else {}
    return getattr(vendor, name)(base_url=job["url"] + base, http_client=http, **{key: job["token"]}, **timeout)


LOCK = threading.Lock()


def say(line):
    with LOCK:
        print(json.dumps(line), flush=True)


def class_of(e):
    """The class to catch: of HTTP's own which fits does not depend on the moment."""
    for c in (httpx2.TimeoutException, httpx2.TransportError, type(e)):
        if isinstance(e, c):
            return f"{c.__module__}.{c.__name__}"


class Outcome:
    """What a program would see."""

    def __init__(self, job):
        self.job, self.api = job, APIS[job["api"]]
        self.seen: list[str] = []
        self.told: dict[str, Any] = {"text": ""}

    def call(self, c):
        """What the SDK is asked for."""
        resource, arguments = self.api.resource(c), self.api.ask(self.job["words"]) | (self.job["more"] or {})
        if self.job["api"] == "models":
            return resource.list()
        if self.job["way"] == "helper":
            return resource.stream(**arguments)
        if self.job["way"] == "raw":
            return resource.with_raw_response.create(**arguments)
        return resource.create(**arguments | ({"stream": True} if self.job["way"] == "stream" else {}))

    def answered(self, a):
        self.seen.append(repr(a))
        self.told |= {"request_id": a._request_id}
        self.told["text"], self.told["finish"] = self.api.answer(a)

    def began(self, stream):
        response = getattr(stream, "response", None) or getattr(stream, "_response", None)
        if response is not None:
            self.told["request_id"] = response.headers["x-request-id"]

    def happened(self, event):
        self.seen.append(repr(event))
        words, finish = self.api.event(event)
        if words and not self.told["text"]:
            say({"id": self.job["id"], "seen": True})
        self.told["text"] += words
        self.told["finish"] = finish or self.told.get("finish")

    def finished(self, a):
        self.seen.append(repr(a))
        self.told["final"] = self.api.answer(a)[0]

    def raised(self, e):
        self.seen += [repr(e), str(e), repr(getattr(e, "body", None))]
        body = getattr(e, "body", None)
        if isinstance(body, dict) and "error" in body:
            body = body["error"]  # Anthropic's SDK has it whole
        request = getattr(e, "request", None)
        self.told |= {
            "raised": class_of(e),
            "status": getattr(e, "status_code", 0),
            "attempts": 1 + int(request.headers.get("x-stainless-retry-count", 0)) if request else 0,
        }
        if isinstance(body, dict):
            self.told |= {"code": body.get("code"), "type": body.get("type"), "message": body.get("message")}
        if getattr(e, "request_id", None):
            self.told["request_id"] = e.request_id

    def say(self):
        say({"id": self.job["id"], "done": True, "seen_all": "\n".join(self.seen)} | self.told)


def ask(job):
    o = Outcome(job)
    try:
        with client(job) as c:
            got = o.call(c)
            if job["way"] == "raw":
                o.told["header"] = {k.lower(): v for k, v in got.headers.items()}
                got = got.parse()
            if job["way"] in ("whole", "raw"):
                o.answered(got)
            else:
                with got as stream:
                    o.began(stream)
                    for event in stream:
                        o.happened(event)
                    if job["way"] == "helper":
                        o.finished(getattr(stream, o.api.final)())
    except Exception as e:  # whatever it is, it is what the test asks for
        o.raised(e)
    o.say()


async def ask_async(job):
    o = Outcome(job)
    try:
        async with client(job) as c:
            got = o.call(c)
            if job["way"] != "helper":
                got = await got
            if job["way"] == "raw":
                o.told["header"] = {k.lower(): v for k, v in got.headers.items()}
                got = got.parse()
                if asyncio.iscoroutine(got):  # Anthropic's
                    got = await got
            if job["way"] in ("whole", "raw"):
                o.answered(got)
            else:
                async with got as stream:
                    o.began(stream)
                    async for event in stream:
                        o.happened(event)
                    if job["way"] == "helper":
                        o.finished(await getattr(stream, o.api.final)())
    except Exception as e:
        o.raised(e)
    o.say()


def main():
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    say({"versions": f"openai {openai.__version__}, anthropic {anthropic.__version__}"})
    for line in sys.stdin:
        job = json.loads(line)
        if job["async"]:
            asyncio.run_coroutine_threadsafe(ask_async(job), loop)
        else:
            threading.Thread(target=ask, args=(job,), daemon=True).start()


main()
