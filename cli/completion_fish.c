/* The script for fish: a line for each thing that may be offered, with the condition under which it is. */
#include <stdio.h>

#include "cli/completion.h"
#include "cli/offers.h"

static const char head[] = "# Completion of @P@ for fish; made by `@P@ completion fish`.\n"
                           "\n"
                           "# Do the words begin with these?\n"
                           "function @F@_at\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -l count (count $argv)\n"
                           "    test (count $words) -gt $count; or return 1\n"
                           "    set -l last (math $count + 1)\n"
                           "    test \"$words[2..$last]\" = \"$argv\"\n"
                           "end\n"
                           "\n"
                           "# Just these words so far?\n"
                           "function @F@_after\n"
                           "    set -l words (commandline -opc)\n"
                           "    set -e words[1]\n"
                           "    test \"$words\" = \"$argv\"\n"
                           "end\n"
                           "\n"
                           "function @F@_types\n"
                           "    set -l words (commandline -opc)\n"
                           "    $words[1] completion types 2>/dev/null\n"
                           "end\n"
                           "\n"
                           "complete -c @P@ -f\n"
                           "complete -c @P@ -l help -d 'what it does'\n";

static pdr_code put_args(pdr_buf *out, const pdr_offer *offer)
{
    if (offer->kinds & PDR_OFFER_ENTITIES)
        return pdr_buf_printf(out, " -a '(%s_types)/'", pdr_complete_name());
    if (offer->kinds & PDR_OFFER_TYPES) return pdr_buf_printf(out, " -a '(%s_types)'", pdr_complete_name());
    if (offer->kinds & PDR_OFFER_FILES) return pdr_buf_printf(out, " -F");
    if (offer->kinds & PDR_OFFER_FOLDERS) return pdr_buf_printf(out, " -a '(__fish_complete_directories)'");
    pdr_code code = offer->word_count ? pdr_buf_printf(out, " -a '") : PDR_OK;
    for (size_t i = 0; code == PDR_OK && i < offer->word_count; i++)
        code = pdr_buf_printf(out, "%s%.*s", i ? " " : "", (int)offer->words[i].size, offer->words[i].data);
    return code == PDR_OK && offer->word_count ? pdr_buf_printf(out, "'") : code;
}

static pdr_code put_line(pdr_buf *out, const char *when, const char *words)
{
    pdr_code code = pdr_complete_put(out, "complete -c @P@ -n '@F@_");
    return code == PDR_OK ? pdr_buf_printf(out, "%s %s'", when, words) : code;
}

static pdr_code put_about(pdr_buf *out, const char *about)
{
    pdr_code code = pdr_buf_printf(out, " -d ");
    if (code == PDR_OK) code = pdr_complete_quote(out, about, true);
    return code == PDR_OK ? pdr_buf_printf(out, "\n") : code;
}

static pdr_code put_flag(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flag)
{
    pdr_offer offer = {.kinds = 0};
    pdr_code code = put_line(out, "at", command->name);
    if (code == PDR_OK) code = pdr_buf_printf(out, " -l %s", flag->name + 2);
    if (flag->value) {
        pdr_offer_of(&offer, pdr_string_of(flag->value));
        if (code == PDR_OK) code = pdr_buf_printf(out, offer.kinds & PDR_OFFER_FILES ? " -r" : " -x");
    }
    if (code == PDR_OK && flag->value) code = put_args(out, &offer);
    return code == PDR_OK ? put_about(out, flag->help) : code;
}

static pdr_code put_command(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    pdr_places places;
    pdr_places_of(&places, flags);
    pdr_code code = pdr_buf_printf(out, "\n");
    if (code == PDR_OK) {
        char before[64];
        pdr_string first = pdr_complete_first(command), second = pdr_complete_second(command);
        (void)snprintf(before, sizeof before, "%.*s", second.size ? (int)first.size : 0, first.data);
        pdr_string last = second.size ? second : first;
        code = put_line(out, "after", before);
        if (code == PDR_OK) code = pdr_buf_printf(out, " -a %.*s", (int)last.size, last.data);
        if (code == PDR_OK) code = put_about(out, command->summary);
    }
    for (; code == PDR_OK && flags->kind != PDR_FLAG_END; flags++)
        if (flags->kind != PDR_FLAG_WORD && flags->kind != PDR_FLAG_WORDS)
            code = put_flag(out, command, flags);
    for (size_t i = 0; code == PDR_OK && i < places.count; i++) {
        code = put_line(out, "at", command->name);
        if (code == PDR_OK) code = put_args(out, &places.offers[i]);
        if (code == PDR_OK) code = pdr_buf_printf(out, "\n");
    }
    return code;
}

/* "store" before any of its commands. */
static pdr_code put_first(pdr_buf *out, const pdr_cli_command *command, const pdr_flag *flags)
{
    (void)flags;
    pdr_string first = pdr_complete_first(command);
    if (!pdr_complete_is_first(command) || !pdr_complete_second(command).size) return PDR_OK;
    pdr_code code = put_line(out, "after", "");
    return code == PDR_OK ? pdr_buf_printf(out, " -a %.*s\n", (int)first.size, first.data) : code;
}

pdr_code pdr_complete_fish(pdr_buf *out)
{
    pdr_code code = pdr_complete_put(out, head);
    if (code == PDR_OK) code = pdr_complete_all(out, put_first);
    return code == PDR_OK ? pdr_complete_all(out, put_command) : code;
}
