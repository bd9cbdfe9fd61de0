// What the pages about guardrails say beside the settings, which come from the schemas: what it is for, an example that is
// checked like any configuration, and what to know.

/**
 * @typedef {{ about: string, example: string, notes?: readonly string[] }} Note
 * @type {Readonly<Record<string, Note>>} by the first id of the kind
 */
export const NOTES = {
  litellm_content_filter: {
    about:
      'Finds patterns (personal data, credentials), regular expressions, words and categories of content inside the process: no service, no network.',
    example: `patterns:
  - { pattern_type: prebuilt, pattern_name: email, action: MASK }
blocked_words:
  - { keyword: project-x, action: BLOCK }`,
  },
  portcullis_classifier: {
    about:
      'Scores attacks and harmful content with a small model that is part of the product and runs in the process.',
    example: '',
  },
  presidio: {
    about:
      "Finds and masks personal data with Microsoft Presidio: the analyzer's service finds, the anonymizer's replaces. Both are containers of your own.",
    example: `presidio_analyzer_api_base: http://presidio-analyzer:3000
presidio_anonymizer_api_base: http://presidio-anonymizer:3000
pii_entities_config: { PERSON: MASK, EMAIL_ADDRESS: MASK, CREDIT_CARD: BLOCK }
presidio_score_thresholds: { ALL: 0.5 }`,
    notes: [
      'Services on private addresses have to be named in `policy_engine.allowed_private_hosts`.',
      'A request may ask for another language with the parameter `language`, when `request_params` lists it.',
      'A file of ad-hoc recognizers has to lie beside the configuration file.',
      'In `during_call` nothing can be masked, so that what would be is blocked there.',
      '`output_parse_pii` gives each value a placeholder of its own in `pre_call`, whatever the anonymizer would have written.',
    ],
  },
  bedrock: {
    about: 'Applies a guardrail of Amazon Bedrock to requests and answers of any model, with ApplyGuardrail.',
    example: `guardrailIdentifier: abc123def456
guardrailVersion: "2"
aws_region_name: eu-central-1
aws_access_key_id: AKIAIOSFODNN7EXAMPLE
aws_secret_access_key: a-secret`,
    notes: [
      'The permission needed is `bedrock:ApplyGuardrail`. Calls are signed with Signature Version 4; roles are not assumed here, but temporary credentials with their session token work.',
      'What the guardrail blocks is blocked. What it anonymises is rewritten as it says. A segment is asked about on its own where the new text of several does not tell where one ends.',
      'An intervention that no assessment explains is a block.',
    ],
  },
  generic_guardrail_api: {
    about: "Asks any HTTP service that speaks LiteLLM's webhook contract.",
    example: `api_base: https://guard.example.com
api_key: a-key-of-the-service`,
    notes: [
      'The rules of the contract are in [How guardrails are run](../adr/0003-how-guardrails-are-run.md).',
    ],
  },
  openai_moderation: {
    about: "Judges texts and images with OpenAI's moderation endpoint, or one that speaks like it.",
    example: `api_key: sk-moderation
category_thresholds: { harassment: 0.4 }`,
    notes: [
      'Images are judged by `omni-` models alone, one question for each, sixteen at most; an image that is neither an address nor a data URL is unread.',
      'Without `category_thresholds` the judgement of the model counts.',
    ],
  },
  lakera_v2: {
    about: 'Screens conversations with Lakera Guard: attacks, personal data, harmful content, unknown links.',
    example: `api_key: lakera-key
project_id: project-1234`,
    notes: [
      'Which detectors run is said by the policy of the project.',
      'When personal data is all that was found and its places are told, it is masked; `pii_action: BLOCK` blocks it.',
    ],
  },
  'azure/prompt_shield': {
    about:
      'Finds attacks in prompts, and instructions hidden in documents, with Prompt Shields of Azure AI Content Safety.',
    example: `api_base: https://my-resource.cognitiveservices.azure.com
api_key: azure-key`,
    notes: [
      'Content of users and of the system is put as the prompt; everything else (results of tools, definitions) as documents. `scan` narrows that.',
      'It does not judge answers: `post_call` is refused.',
    ],
  },
  'azure/text_moderations': {
    about: 'Judges hate, self-harm, sexual content and violence by severity with Azure AI Content Safety.',
    example: `api_base: https://my-resource.cognitiveservices.azure.com
api_key: azure-key
severity_threshold: 4
severity_threshold_by_category: { SelfHarm: 2 }`,
    notes: ['Severity 0 means no harm and never counts, whatever the threshold.'],
  },
  model_armor: {
    about: 'Applies a template of Google Cloud Model Armor to prompts and answers.',
    example: `template_id: my-template
project_id: my-project
location: europe-west4
api_key: an-access-token`,
    notes: [
      '`credentials` takes the content of the JSON key of a service account; its access tokens are renewed by the gateway.',
      'A judgement that only some filters made counts when one of them matched, and is no answer otherwise.',
    ],
  },
  llm_as_a_judge: {
    about: 'Lets a model of this gateway score content by criteria, from 0 to 100.',
    example: `judge_model: my-judge
overall_threshold: 70
criteria:
  - { name: polite, weight: 2, description: Nobody is insulted or belittled. }
  - { name: on-brand, description: No competitor is recommended. }`,
    notes: [
      'No policy and no guardrail applies to the question, so that a judge leads to no further ones. Put guardrails that mask before it, with a lower `priority`: it then sees masked content.',
      'The question costs the key, team and user whose request it is; the record of the run has model, tokens and cost.',
      'The threshold decides. The model has no place to write reasons in, because they could quote the content; an answer in another form is no answer.',
    ],
  },
  topical_judge: {
    about: 'Lets a model of this gateway say which topics content is about, and allows or denies them.',
    example: `judge_model: my-judge
allowed_topics: [{ name: travel, description: "Journeys, hotels and tickets." }]
denied_topics: [{ name: politics, description: "Parties, elections and politicians." }]`,
    notes: ['The same holds as for [llm_as_a_judge](llm_as_a_judge.md).'],
  },
  tool_permission: {
    about:
      'Says which tools a model may be offered and may call, and with which arguments, in every dialect.',
    example: `rules:
  - { id: no-delete, tool_name: "delete_.*", decision: deny }
  - id: mail-inside
    tool_name: send_mail
    decision: allow
    allowed_param_patterns: { "to[]": ".+@example\\\\.com" }
default_action: deny`,
    notes: [
      'Rules are tried in their order; the first whose name and type fit decides. Expressions are about the whole text, in its own case.',
      'A call is allowed by a rule with `allowed_param_patterns` when every value at each place matches; a call that leaves one out is denied. Offers are judged by name and type alone.',
      'A tool without a name, which a provider runs itself, goes by its type (`web_search`).',
      '`on_disallowed_action: rewrite` answers with the message instead of a denied call. A denied offer keeps its place in the request, under a name that no rule allows and with a description that forbids its use, because a guardrail can change texts and not take parts of a request away.',
    ],
  },
  custom_code: {
    about:
      'Runs JavaScript of an administrator in a sandbox: QuickJS as WebAssembly, in a thread of its own.',
    example: `custom_code: |
  async function apply_guardrail(inputs, request_data, input_type) {
    if (inputs.texts.some((text) => contains_any(lower(text), ["project x"]))) return block("Do not speak of it.");
    return modify(inputs.texts.map((text) => regex_replace(text, "[0-9]{6}", "[NUMBER]")));
  }`,
    notes: [
      '`inputs` holds `texts`, `images`, `tools`, `tool_calls`, `structured_messages` and `model`; `request_data` who asks; `input_type` is `request` or `response`. Headers and keys are never handed over.',
      'The function answers with `allow()`, `block(reason)` or `modify(texts)`. Anything else is no answer (E1), changed images or tool calls are undeliverable.',
      'Functions: `regex_match`, `regex_replace`, `regex_find_all` (linear-time expressions); `json_parse`, `json_stringify`, `json_schema_valid`; `extract_urls`, `is_valid_url`, `all_urls_valid`; `detect_code`, `detect_code_languages`, `contains_code_language`; `contains`, `contains_any`, `contains_all`, `word_count`, `char_count`, `lower`, `upper`, `trim`; and `http_request`, `http_get`, `http_post`, which give `{status_code, body, headers, success, error}`.',
      'Every run gets a fresh world: nothing is kept from one to the next. There is no network but the hosts named, by https (by http only where a port is named), and the rules for private addresses hold beside.',
      'An exception is a `fault`. Code that meets a limit of time, memory or calls is `too_complex`, because content can be made so that it does. A thread that does not stop is ended.',
      '`POST /guardrails/test_custom_code` tries code on made-up content.',
    ],
  },
  block_code_execution: {
    about: 'Finds fenced blocks of code by their language.',
    example: `blocked_languages: [python, bash, javascript]
action: BLOCK`,
    notes: ['A block that is never closed counts; code without a fence does not.'],
  },
  'hide-secrets': {
    about: 'Finds credentials with every pattern of that group of the content filter, and nothing else.',
    example: 'action: MASK',
  },
};
