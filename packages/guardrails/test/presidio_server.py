"""Presidio's analyzer and anonymizer behind one port, for tests: POST /analyze and POST /anonymize as their own servers.

The pipeline is a blank one, so that no model has to be downloaded: patterns, checksums and context words are found, names
are not. Run with a Python that has presidio-analyzer and presidio-anonymizer: presidio_server.py PORT
"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import spacy
import tldextract

# Without this the first e-mail address asks the network for the list of top-level domains.
tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())

from presidio_analyzer import AnalyzerEngine, PatternRecognizer  # noqa: E402
from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine  # noqa: E402
from presidio_anonymizer import AnonymizerEngine  # noqa: E402
from presidio_anonymizer.entities import OperatorConfig, RecognizerResult  # noqa: E402


class BlankEngine(SpacyNlpEngine):
    def __init__(self):
        super().__init__(
            models=[{"lang_code": "en", "model_name": "blank"}],
            ner_model_configuration=NerModelConfiguration(labels_to_ignore=["O"]),
        )
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass

    def is_loaded(self):
        return True


analyzer = AnalyzerEngine(nlp_engine=BlankEngine(), supported_languages=["en"])
anonymizer = AnonymizerEngine()


def analyze(body):
    found = analyzer.analyze(
        text=body["text"],
        language=body["language"],
        entities=body.get("entities"),
        score_threshold=body.get("score_threshold"),
        ad_hoc_recognizers=[PatternRecognizer.from_dict(one) for one in body.get("ad_hoc_recognizers", [])],
    )
    return [
        {"entity_type": one.entity_type, "start": one.start, "end": one.end, "score": one.score, "analysis_explanation": None}
        for one in found
    ]


def anonymize(body):
    operators = {
        name: OperatorConfig(settings["type"], {key: value for key, value in settings.items() if key != "type"})
        for name, settings in body.get("anonymizers", {}).items()
    }
    results = [RecognizerResult.from_json(one) for one in body["analyzer_results"]]
    return json.loads(anonymizer.anonymize(body["text"], results, operators).to_json())


ROUTES = {"/analyze": analyze, "/anonymize": anonymize}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, "ready")

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        try:
            self.answer(200, ROUTES[self.path](body))
        except Exception as error:  # Presidio's own server answers so, too.
            self.answer(500, {"error": str(error)})

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
