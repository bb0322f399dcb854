#!/usr/bin/env python3
"""Makes tests/golden/text/chat/: NAME.jinja, a chat template as models publish it, and NAME.txt, what it writes
for two conversations, a line of "====" between them (needs jinja2, and llama-cpp-python where it says so).
"""

import ctypes
import pathlib

import jinja2
import llama_cpp

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests/golden/text/chat"
TURNS = [("user", "Who was there?"), ("assistant", "Ruth was."), ("user", "And then?\nTell me.")]
SYSTEM = ("system", "Be brief.")

CHATML = """{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""
LLAMA2 = """{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}{% for message in loop_messages %}{% if loop.index0 == 0 and system_message != false %}{% set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] %}{% else %}{% set content = message['content'] %}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}{% endfor %}"""
LLAMA3 = """{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""
MISTRAL = """{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] + '\n\n' %}{% set messages = messages[1:] %}{% else %}{% set system_message = '' %}{% endif %}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + (system_message if loop.first else '') + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token }}{% endif %}{% endfor %}"""
GEMMA = """{% if messages[0]['role'] == 'system' %}{% set first_user_prefix = messages[0]['content'] + '\n\n' %}{% set loop_messages = messages[1:] %}{% else %}{% set first_user_prefix = '' %}{% set loop_messages = messages %}{% endif %}{% for message in loop_messages %}{% if message['role'] == 'assistant' %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else '') }}{{ message['content'] | trim }}{{ '<end_of_turn>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"""
ZEPHYR = """{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"""
PHI3 = """{% for message in messages %}{% if message['role'] == 'system' %}{{'<|system|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'user' %}{{'<|user|>\n' + message['content'] + '<|end|>\n'}}{% elif message['role'] == 'assistant' %}{{'<|assistant|>\n' + message['content'] + '<|end|>\n'}}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}"""
VICUNA = """{% if messages[0]['role'] == 'system' %}{{ messages[0]['content'] + '\n\n' }}{% set messages = messages[1:] %}{% endif %}{% for message in messages %}{% if message['role'] == 'user' %}{{ 'USER: ' + message['content'] + '\n' }}{% else %}{{ 'ASSISTANT: ' + message['content'] + eos_token + '\n' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"""


def with_jinja(template):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    compiled = environment.from_string(template)

    def render(turns):
        messages = [{"role": role, "content": text} for role, text in turns]
        return compiled.render(messages=messages, bos_token="<s>", eos_token="</s>", add_generation_prompt=True)

    return render


def with_llama_cpp(name):
    def render(turns):
        messages = [llama_cpp.llama_chat_message(role=role.encode(), content=text.encode()) for role, text in turns]
        array = (llama_cpp.llama_chat_message * len(messages))(*messages)
        text = ctypes.create_string_buffer(4096)
        n = llama_cpp.llama_chat_apply_template(name.encode(), array, len(messages), True, text, len(text))
        assert n >= 0
        return text.raw[:n].decode()

    return render


TEMPLATES = {
    "chatml": (CHATML, with_jinja(CHATML)),
    # Meta's own has a space before and after each answer, which the tokenizer's prefix would double.
    "llama2": (LLAMA2, with_llama_cpp("llama2-sys-bos")),
    "llama3": (LLAMA3, with_jinja(LLAMA3)),
    "mistral": (MISTRAL, with_jinja(MISTRAL)),
    "gemma": (GEMMA, with_jinja(GEMMA)),
    "zephyr": (ZEPHYR, with_jinja(ZEPHYR)),
    "phi3": (PHI3, with_jinja(PHI3)),
    "vicuna": (VICUNA, with_llama_cpp("vicuna")),
}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, (template, render) in TEMPLATES.items():
        (OUT / f"{name}.jinja").write_text(template)
        (OUT / f"{name}.txt").write_text(render(TURNS) + "====\n" + render([SYSTEM] + TURNS))


if __name__ == "__main__":
    main()
