/* The script for zsh: what _arguments takes, for each command. */
#include "cli/completion.h"
#include "cli/offers.h"

static const char head[] = "#compdef @P@\n"
                           "# Completion of @P@ for zsh; made by `@P@ completion zsh`.\n"
                           "\n"
                           "@F@_types() {\n"
                           "  local -a types\n"
                           "  types=(${(f)\"$($program completion types 2>/dev/null)\"})\n"
                           "  compadd \"$@\" -a types\n"
                           "}\n"
                           "\n"
                           "@F@_entities() {\n"
                           "  local -a types\n"
                           "  types=(${^${(f)\"$($program completion types 2>/dev/null)\"}}/)\n"
                           "  compadd -S '' \"$@\" -a types\n"
                           "}\n"
                           "\n";

static const char body[] = "@F@() {\n"
                           "  local program=$words[1] name n\n"
                           "  for n in 2 1; do\n"
                           "    name=${(j: :)words[2,n+1]}\n"
                           "    if (( CURRENT > n + 1 && ${@F@_commands[(Ie)$name]} )); then\n"
                           "      shift $n words\n"
                           "      (( CURRENT -= n ))\n"
                           "      @F@_arguments $name\n"
                           "      return\n"
                           "    fi\n"
                           "  done\n"
                           "  (( CURRENT > 3 )) && return 1\n"
                           "  @F@_next $words[2]\n"
                           "}\n"
                           "\n"
                           "if [[ $funcstack[1] = @F@ ]]; then\n"
                           "  @F@ \"$@\"\n"
                           "else\n"
                           "  compdef @F@ @P@\n"
                           "fi\n";

/* Text inside a spec of _arguments or _describe, inside single quotes. */
static pdr_code put_escaped(pdr_buf *out, const char *text)
{
    pdr_code code = PDR_OK;
    for (; code == PDR_OK && *text; text++) {
        if (*text == '\'')
            code = pdr_buf_printf(out, "'\\''");
        else if (strchr(":[]\\", *text))
            code = pdr_buf_printf(out, "\\%c", *text);
        else
            code = pdr_buf_append(out, text, 1);
    }
    return code;
}

static pdr_code put_action(pdr_buf *out, const pdr_offer *offer)
{
    if (offer->kinds & PDR_OFFER_ENTITIES) return pdr_buf_printf(out, "%s_entities", pdr_complete_name());
    if (offer->kinds & PDR_OFFER_TYPES) return pdr_buf_printf(out, "%s_types", pdr_complete_name());
    if (offer->kinds & PDR_OFFER_FILES) return pdr_buf_printf(out, "_files");
    if (offer->kinds & PDR_OFFER_FOLDERS) return pdr_buf_printf(out, "_files -/");
    if (offer->word_count == 0) return pdr_buf_printf(out, " ");
    pdr_code code = pdr_buf_printf(out, "(");
    for (size_t i = 0; code == PDR_OK && i < offer->word_count; i++)
        code = pdr_buf_printf(out, "%s%.*s", i ? " " : "", (int)offer->words[i].size, offer->words[i].data);
    return code == PDR_OK ? pdr_buf_printf(out, ")") : code;
}

static pdr_code put_flag(pdr_buf *out, const pdr_flag *flag)
{
    pdr_offer offer;
    pdr_code code = pdr_buf_printf(out, " \\\n    '%s%s%s[", flag->kind == PDR_FLAG_TEXTS ? "*" : "",
                                   flag->name, flag->value ? "=" : "");
    if (code == PDR_OK) code = put_escaped(out, flag->help);
    if (code == PDR_OK) code = pdr_buf_printf(out, "]");
    if (!flag->value) return code == PDR_OK ? pdr_buf_printf(out, "'") : code;
    pdr_offer_of(&offer, pdr_string_of(flag->value));
    if (code == PDR_OK) code = pdr_buf_printf(out, ":");
    if (code == PDR_OK) code = put_escaped(out, flag->value);
    if (code == PDR_OK) code = pdr_buf_printf(out, ":");
    if (code == PDR_OK) code = put_action(out, &offer);
    return code == PDR_OK ? pdr_buf_printf(out, "'") : code;
}

static pdr_code put_command(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    pdr_places places;
    pdr_places_of(&places, flags);
    pdr_code code = pdr_buf_printf(out, "  '%s') _arguments -S", command->name);
    for (; code == PDR_OK && flags->kind != PDR_FLAG_END; flags++)
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS) code = put_flag(out, flags);
    if (code == PDR_OK) code = pdr_buf_printf(out, " \\\n    '--help[what it does]'");
    for (size_t i = 0; code == PDR_OK && i < places.count; i++) {
        bool again = places.repeats && i + 1 == places.count;
        code = pdr_buf_printf(out, " \\\n    '%s:word:", again ? "*" : "");
        if (code == PDR_OK) code = put_action(out, &places.offers[i]);
        if (code == PDR_OK) code = pdr_buf_printf(out, "'");
    }
    return code == PDR_OK ? pdr_buf_printf(out, " ;;\n") : code;
}

static pdr_code put_name(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    (void)flags;
    return pdr_buf_printf(out, "  '%s'\n", command->name);
}

static pdr_code put_described(pdr_buf *out, pdr_string word, const char *about)
{
    pdr_code code = pdr_buf_printf(out, " \\\n    '%.*s:", (int)word.size, word.data);
    if (code == PDR_OK) code = put_escaped(out, about);
    return code == PDR_OK ? pdr_buf_printf(out, "'") : code;
}

static pdr_code put_first(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    (void)flags;
    if (!pdr_complete_is_first(command)) return PDR_OK;
    bool more = pdr_complete_second(command).size != 0;
    return put_described(out, pdr_complete_first(command), more ? "..." : command->summary);
}

/* One array per first word: zsh's `case` ends at the first that fits, so each is added where it fits. */
static pdr_code put_second(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    (void)flags;
    pdr_string first = pdr_complete_first(command), second = pdr_complete_second(command);
    if (second.size == 0) return PDR_OK;
    pdr_code code = pdr_buf_printf(out, "  [[ $1 = '%.*s' ]] && seconds+=(", (int)first.size, first.data);
    if (code == PDR_OK) code = put_described(out, second, command->summary);
    return code == PDR_OK ? pdr_buf_printf(out, ")\n") : code;
}

static pdr_code put_next(pdr_buf *out)
{
    pdr_code code = pdr_complete_put(out, "@F@_next() {\n  local -a firsts seconds\n  firsts=(");
    if (code == PDR_OK) code = pdr_complete_all(out, put_first);
    if (code == PDR_OK) code = pdr_buf_printf(out, ")\n");
    if (code == PDR_OK) code = pdr_complete_all(out, put_second);
    if (code != PDR_OK) return code;
    return pdr_buf_printf(out, "  if (( CURRENT == 2 )); then\n"
                               "    _describe command firsts\n"
                               "  else\n"
                               "    _describe command seconds\n"
                               "  fi\n"
                               "}\n\n");
}

pdr_code pdr_complete_zsh(pdr_buf *out)
{
    pdr_code code = pdr_complete_put(out, head);
    if (code == PDR_OK) code = pdr_complete_put(out, "typeset -ga @F@_commands\n@F@_commands=(\n");
    if (code == PDR_OK) code = pdr_complete_all(out, put_name);
    if (code == PDR_OK) code = pdr_complete_put(out, ")\n\n@F@_arguments() {\n  case $1 in\n");
    if (code == PDR_OK) code = pdr_complete_all(out, put_command);
    if (code == PDR_OK) code = pdr_buf_printf(out, "  esac\n}\n\n");
    if (code == PDR_OK) code = put_next(out);
    return code == PDR_OK ? pdr_complete_put(out, body) : code;
}
