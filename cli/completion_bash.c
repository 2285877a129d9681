/* The script for bash: two tables as case statements, and the same few functions always. */
#include "cli/completion.h"
#include "cli/offers.h"

static const char head[] = "# Completion of @P@ for bash 4 and later; made by `@P@ completion bash`.\n"
                           "\n";

static const char body[] =
    "@F@_types() {\n"
    "  \"${COMP_WORDS[0]}\" completion types ${app:+--app \"$app\"} 2>/dev/null\n"
    "}\n"
    "\n"
    "# @F@_offer OFFERS WORD: into COMPREPLY what begins with WORD.\n"
    "@F@_offer() {\n"
    "  local offer\n"
    "  for offer in $1; do\n"
    "    case $offer in\n"
    "    @file)\n"
    "      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$2\")\n"
    "      compopt -o filenames 2>/dev/null\n"
    "      ;;\n"
    "    @folder)\n"
    "      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- \"$2\")\n"
    "      compopt -o filenames 2>/dev/null\n"
    "      ;;\n"
    "    @entity)\n"
    "      if [[ $2 == */* ]]; then\n"
    "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(timeout 2 \"${COMP_WORDS[0]}\" entity list "
    "--prefix \"$2\" \\\n"
    "          --limit 100 \"${where[@]}\" 2>/dev/null | sed 's/  .*//')\n"
    "      else\n"
    "        mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \"$(@F@_types | sed 's:$:/:')\" -- "
    "\"$2\")\n"
    "        compopt -o nospace 2>/dev/null\n"
    "      fi\n"
    "      ;;\n"
    "    @type) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \"$(@F@_types)\" -- \"$2\") ;;\n"
    "    @any) ;;\n"
    "    *) mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \"$offer\" -- \"$2\") ;;\n"
    "    esac\n"
    "  done\n"
    "  return 0\n"
    "}\n"
    "\n"
    "# bash splits at = and :, so \"--app=x\" and \"sqlite:x\" come in three words.\n"
    "@F@_words() {\n"
    "  local word glue=\n"
    "  words=()\n"
    "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD}\"; do\n"
    "    if [ ${#words[@]} -gt 0 ] && { [ -n \"$glue\" ] || [[ $word == [=:]* ]]; }; then\n"
    "      words[${#words[@]} - 1]+=$word\n"
    "    else\n"
    "      words+=(\"$word\")\n"
    "    fi\n"
    "    glue=\n"
    "    [[ $word != [=:] ]] || glue=1\n"
    "  done\n"
    "}\n"
    "\n"
    "@F@() {\n"
    "  local words command=\"\" offer=\"\" flag=\"\" app=\"\" where=() place=1 i cur\n"
    "  COMPREPLY=()\n"
    "  @F@_words\n"
    "  local last=$((${#words[@]} - 1))\n"
    "  [ $last -ge 0 ] || return 0\n"
    "  cur=${words[last]}\n"
    "  for ((i = 2; i >= 1; i--)); do\n"
    "    [ $last -ge $i ] && @F@_flags \"${words[*]:0:i}\" && command=${words[*]:0:i} && break\n"
    "  done\n"
    "  if [ -z \"$command\" ]; then\n"
    "    [ $last = 0 ] && @F@_offer \"$(@F@_next '') --help --version\" \"$cur\"\n"
    "    [ $last = 1 ] && @F@_offer \"$(@F@_next \"${words[0]}\") --help\" \"$cur\"\n"
    "    return 0\n"
    "  fi\n"
    "  local flags=$offer\n"
    "  for (( ; i < last; i++)); do\n"
    "    if [ -n \"$flag\" ]; then\n"
    "      case $flag in\n"
    "      --app) app=${words[i]} ;;\n"
    "      --journal | --store) where+=(\"$flag\" \"${words[i]}\") ;;\n"
    "      esac\n"
    "      flag=\n"
    "    elif [[ ${words[i]} == --app=* ]]; then\n"
    "      app=${words[i]#*=}\n"
    "    elif [[ ${words[i]} == --journal=* || ${words[i]} == --store=* ]]; then\n"
    "      where+=(\"${words[i]}\")\n"
    "    elif [[ ${words[i]} == -* ]]; then\n"
    "      [[ ${words[i]} == *=* ]] || ! @F@_value \"$command\" \"${words[i]}\" || flag=${words[i]}\n"
    "    else\n"
    "      place=$((place + 1))\n"
    "    fi\n"
    "  done\n"
    "  if [ -n \"$flag\" ] && @F@_value \"$command\" \"$flag\"; then\n"
    "    @F@_offer \"$offer\" \"${COMP_WORDS[COMP_CWORD]}\"\n"
    "  elif [[ $cur == -*=* ]]; then\n"
    "    @F@_value \"$command\" \"${cur%%=*}\" && @F@_offer \"$offer\" \"${cur#*=}\"\n"
    "  elif [[ $cur == -* ]]; then\n"
    "    @F@_offer \"$flags\" \"$cur\"\n"
    "  else\n"
    "    @F@_place \"$command\" \"$place\" || offer=$flags\n"
    "    @F@_offer \"$offer\" \"$cur\"\n"
    "  fi\n"
    "  return 0\n"
    "}\n"
    "\n"
    "complete -F @F@ @P@\n";

static pdr_code put_offer(pdr_buf *out, const pdr_offer *offer)
{
    static const char *const kinds[] = {"@file", "@folder", "@type", "@entity"};
    bool any = false;
    pdr_code code = pdr_buf_printf(out, " offer='");
    for (unsigned i = 0; code == PDR_OK && i < 4; i++)
        if (offer->kinds & (1u << i)) {
            code = pdr_buf_printf(out, "%s%s", any ? " " : "", kinds[i]);
            any = true;
        }
    for (size_t i = 0; code == PDR_OK && i < offer->word_count; i++) {
        code = pdr_buf_printf(out, "%s%.*s", any ? " " : "", (int)offer->words[i].size, offer->words[i].data);
        any = true;
    }
    if (code == PDR_OK && !any) code = pdr_buf_printf(out, "@any");
    return code == PDR_OK ? pdr_buf_printf(out, "' ;;\n") : code;
}

static pdr_code put_flags(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    pdr_code code = pdr_buf_printf(out, "  '%s') offer='", command->name);
    for (; code == PDR_OK && flags->kind != PDR_FLAG_END; flags++)
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS)
            code = pdr_buf_printf(out, "%s ", flags->name);
    return code == PDR_OK ? pdr_buf_printf(out, "--help' ;;\n") : code;
}

static pdr_code put_values(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    pdr_code code = PDR_OK;
    for (; code == PDR_OK && flags->kind != PDR_FLAG_END; flags++) {
        if (!flags->value || flags->name[0] != '-') continue;
        pdr_offer offer;
        pdr_offer_of(&offer, pdr_string_of(flags->value));
        code = pdr_buf_printf(out, "  '%s %s')", command->name, flags->name);
        if (code == PDR_OK) code = put_offer(out, &offer);
    }
    return code;
}

static pdr_code put_places(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    pdr_places places;
    pdr_code code = PDR_OK;
    pdr_places_of(&places, flags);
    for (size_t i = 0; code == PDR_OK && i < places.count; i++) {
        bool again = places.repeats && i + 1 == places.count;
        code = again ? pdr_buf_printf(out, "  '%s '[0-9]*)", command->name)
                     : pdr_buf_printf(out, "  '%s %zu')", command->name, i + 1);
        if (code == PDR_OK) code = put_offer(out, &places.offers[i]);
    }
    return code;
}

static pdr_code put_first(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    (void)flags;
    pdr_string first = pdr_complete_first(command);
    return pdr_complete_is_first(command) ? pdr_buf_printf(out, " %.*s", (int)first.size, first.data)
                                          : PDR_OK;
}

static pdr_code put_second(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    (void)flags;
    pdr_string first = pdr_complete_first(command), second = pdr_complete_second(command);
    if (second.size == 0) return PDR_OK;
    return pdr_buf_printf(out, "  '%.*s') echo '%s' ;;&\n", (int)first.size, first.data, second.data);
}

static pdr_code put_table(pdr_buf *out, const char *about, const char *name, const char *what,
                          pdr_complete_each each)
{
    pdr_code code = pdr_buf_printf(out, "# %s%s %s\n%s%s() {\n  case \"%s\" in\n", pdr_complete_name(), name,
                                   about, pdr_complete_name(), name, what);
    if (code == PDR_OK) code = pdr_complete_all(out, each);
    return code == PDR_OK ? pdr_buf_printf(out, "  *) return 1 ;;\n  esac\n}\n\n") : code;
}

/* _perdure_next '' or 'store': the first words, or what may stand behind one. */
static pdr_code put_next(pdr_buf *out)
{
    pdr_code code = pdr_complete_put(out, "# @F@_next WORD: the words behind it; the first ones for ''.\n"
                                          "@F@_next() {\n  case \"$1\" in\n  '') echo '");
    if (code == PDR_OK) code = pdr_complete_all(out, put_first);
    if (code == PDR_OK) code = pdr_buf_printf(out, " help' ;;\n");
    if (code == PDR_OK) code = pdr_complete_all(out, put_second);
    return code == PDR_OK ? pdr_buf_printf(out, "  esac\n}\n\n") : code;
}

pdr_code pdr_complete_bash(pdr_buf *out)
{
    pdr_code code = pdr_complete_put(out, head);
    if (code == PDR_OK)
        code = put_table(out, "COMMAND: into `offer` its flags; fails if there is no such command.", "_flags",
                         "$1", put_flags);
    if (code == PDR_OK)
        code = put_table(out, "COMMAND FLAG: into `offer` what its value may be; fails if it takes none.",
                         "_value", "$1 $2", put_values);
    if (code == PDR_OK)
        code = put_table(out, "COMMAND N: into `offer` what its Nth word may be; fails if it takes none.",
                         "_place", "$1 $2", put_places);
    if (code == PDR_OK) code = put_next(out);
    return code == PDR_OK ? pdr_complete_put(out, body) : code;
}
