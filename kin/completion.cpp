#include "kin/completion.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <set>

#include "core/base/strings.h"
#include "kin/lab.h"
#include "kin/lab_client.h"

namespace kin {

namespace {
constexpr int kPatienceMicroseconds = 200'000;

using Visit = std::function<void(const std::string& path, const VerbWords& verb)>;
void each_verb(const std::string& path, const VerbWords& verb, const Visit& visit) {
    visit(path, verb);
    for (const VerbWords& below : verb.verbs) {
        each_verb(cat(path, path.empty() ? "" : " ", below.name), below, visit);
    }
}

/// bash and zsh share this: what may follow each verb, as words in variables.
std::string verb_table(const VerbWords& kin) {
    std::string out =
        "# Sets what may follow the verb \"$1\": verbs, flags, values (FLAG=OFFER), places.\n"
        "_kin_verb() {\n    verbs= flags= values= places=\n    case $1 in\n";
    each_verb("", kin, [&](const std::string& path, const VerbWords& verb) {
        std::vector<std::string> verbs, options, values, places;
        for (const VerbWords& below : verb.verbs) verbs.push_back(below.name);
        for (const OptionWords& option : verb.options) {
            for (const std::string& name : option.names) {
                options.push_back(name);
                if (option.takes_value) values.push_back(cat(name, '=', option.value));
            }
        }
        // A place for anything is a word as well, so that the next one keeps its number.
        for (const Offer& place : verb.places) places.push_back(place.empty() ? "-" : place);
        out +=
            cat("    \"", path, "\")\n        verbs=\"", join(verbs, " "), "\"\n        flags=\"",
                join(options, " "), "\"\n        values=\"", join(values, " "),
                "\"\n        places=\"", join(places, " "), "\"\n        ;;\n");
    });
    return out + "    esac\n}\n";
}

// What follows is the same in bash and zsh but for how each splits words and gives its answer.
constexpr const char* kWalk =
    R"sh(# Walks the words before the one at the cursor: sets verb, lab, option (whose value is next), at.
_kin_walk() {
    local word
    verb= lab= option= at=0
    _kin_verb ""
    for word in "$@"; do
        [[ $word == "=" ]] && continue
        if [[ -n $option ]]; then
            [[ $option == --lab ]] && lab=$word
            option=
        elif [[ $word == --lab=* ]]; then
            lab=${word#--lab=}
        elif [[ $word == -* ]]; then
            [[ " $values " == *" $word="* ]] && option=$word
        elif [[ " $verbs " == *" $word "* ]]; then
            verb="${verb:+$verb }$word"
            _kin_verb "$verb"
        else
            at=$((at + 1))
        fi
    done
    return 0
}
# The offer for what is at the cursor: sets offer.
_kin_offer() {
    local rest
    offer=
    if [[ -n $option ]]; then
        rest=" $values "
        rest=${rest#*" $option="}
        offer=${rest%% *}
    elif [[ -z $verbs ]]; then
        rest="$places "
        for ((; at > 0; at--)); do rest=${rest#* }; done
        offer=${rest%% *}
    fi
}
)sh";

constexpr const char* kBash = R"sh(_kin() {
    local verbs flags values places verb lab option at offer name word=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    [[ $word == "=" ]] && word=
    _kin_walk "${COMP_WORDS[@]:1:COMP_CWORD-1}"
    if [[ -z $option && $word == -* ]]; then
        COMPREPLY=($(compgen -W "$flags" -- "$word"))
        return
    fi
    _kin_offer
    case $offer in
    file) compopt -o filenames 2>/dev/null; local IFS=$'\n'; COMPREPLY=($(compgen -f -- "$word")) ;;
    lab | host | node | pod | service | namespace)
        # Not by compgen -W, which runs what stands in $( ) in a name.
        while IFS= read -r name; do
            [[ $name == "$word"* ]] && COMPREPLY+=("$name")
        done < <(kin __complete "$offer" ${lab:+--lab "$lab"} 2>/dev/null) ;;
    "" | -) [[ -n $option ]] || COMPREPLY=($(compgen -W "$verbs" -- "$word")) ;;
    *) COMPREPLY=($(compgen -W "${offer//,/ }" -- "$word")) ;;
    esac
}
complete -F _kin kin
)sh";

constexpr const char* kZsh = R"sh(_kin() {
    local verbs flags values places verb lab option at offer
    local word=${words[CURRENT]}
    _kin_walk "${(@)words[2,CURRENT-1]}"
    if [[ -z $option && $word == -* ]]; then
        compadd -- ${=flags}
        return
    fi
    _kin_offer
    case $offer in
    file) _files ;;
    lab|host|node|pod|service|namespace)
        compadd -- ${(f)"$(kin __complete "$offer" ${lab:+--lab} ${lab:+"$lab"} 2>/dev/null)"} ;;
    ""|-) [[ -n $option ]] || compadd -- ${=verbs} ;;
    *) compadd -- ${(s:,:)offer} ;;
    esac
}
# Loaded by its first use, or sourced.
if [[ ${funcstack[1]} == _kin ]]; then _kin "$@"; else compdef _kin kin; fi
)sh";

constexpr const char* kFish =
    R"sh(# Whether the words before the cursor are those of a verb, and where: sets no variable.
function __kin_at
    set -l path
    for word in (commandline -opc)[2..]
        switch $word
            case '-*'
            case '*'
                set -l longer (string join ' ' $path $word)
                if contains -- $longer $__kin_verbs
                    set path $longer
                end
        end
    end
    test "$path" = "$argv[1]"
end
function __kin_names
    set -l lab
    set -l words (commandline -opc)
    for i in (seq (count $words))
        switch $words[$i]
            case --lab
                if test $i -lt (count $words)
                    set lab --lab $words[(math $i + 1)]
                end
            case '--lab=*'
                set lab $words[$i]
        end
    end
    kin __complete $argv[1] $lab 2>/dev/null
end
complete -c kin -f
)sh";

std::string in_quotes(const std::string& text) {
    std::string out = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') out += '\\';
        out += c;
    }
    return out + "'";
}

bool is_listed(const Offer& offer) {
    static const std::set<Offer> kListed{"lab", "host", "node", "pod", "service", "namespace"};
    return kListed.contains(offer);
}

/// What makes fish offer it: "" if it has nothing to say.
std::string fish_offer(const Offer& offer) {
    if (offer.empty()) return "";
    if (offer == "file") return " -F";
    if (is_listed(offer)) {
        return cat(" -a '(__kin_names ", offer, ")'");
    }
    std::string words = offer;
    std::replace(words.begin(), words.end(), ',', ' ');
    return cat(" -a ", in_quotes(words));
}

std::string fish_option(const std::string& at, const OptionWords& option) {
    std::string line = at;
    for (const std::string& name : option.names) {
        line += name.starts_with("--") ? cat(" -l ", name.substr(2)) : cat(" -s ", name.substr(1));
    }
    if (option.takes_value)
        line += cat(option.value == "file" ? " -r" : " -x", fish_offer(option.value));
    return cat(line, " -d ", in_quotes(option.about), '\n');
}

std::string fish_script(const VerbWords& kin) {
    std::vector<std::string> paths;
    each_verb("", kin, [&](const std::string& path, const VerbWords&) {
        if (!path.empty()) paths.push_back(in_quotes(path));
    });
    std::string out = cat("set -g __kin_verbs ", join(paths, " "), '\n', kFish);
    each_verb("", kin, [&](const std::string& path, const VerbWords& verb) {
        const std::string at = cat("complete -c kin -n '__kin_at \"", path, "\"'");
        for (const VerbWords& below : verb.verbs) {
            out += cat(at, " -a ", below.name, " -d ", in_quotes(below.about), '\n');
        }
        for (const OptionWords& option : verb.options) out += fish_option(at, option);
        std::set<Offer> offered;
        for (const Offer& place : verb.places) {
            if (offered.insert(place).second && !fish_offer(place).empty()) {
                out += cat(at, fish_offer(place), '\n');
            }
        }
    });
    return out;
}

/// Labs that run and those that only have data.
std::set<std::string> known_labs() {
    std::set<std::string> names;
    for (std::string& name : running_labs()) names.insert(std::move(name));
    const auto any = lab_paths("kin");
    if (!any) return names;
    std::error_code ignored;
    const auto folder = std::filesystem::path(any->data).parent_path();
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (is_label(entry.path().filename())) names.insert(entry.path().filename());
    }
    return names;
}

/// The names of a list of objects; of a namespace other than default, with it in front.
Result<std::set<std::string>> object_names(const LabPaths& paths, const std::string& target,
                                           const std::string& before) {
    TRY_ASSIGN(const Json list, lab_get(paths, target));
    std::set<std::string> names;
    for (const Json& item : array_at(list, {"items"})) {
        const std::string ns = string_at(item, {"metadata", "namespace"});
        const bool elsewhere = before.empty() && !ns.empty() && ns != "default";
        names.insert(cat(before, elsewhere ? ns + "/" : "", string_at(item, {"metadata", "name"})));
    }
    return names;
}

/// Whether a shell takes the name for what it is, however it was put on the command line.
bool is_plain(std::string_view name) {
    constexpr std::string_view kPlain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:_-";
    return name.find_first_not_of(kPlain) == std::string_view::npos;
}

Result<std::set<std::string>> names_of(const LabPaths& paths, const Offer& what) {
    if (what == "lab") return known_labs();
    if (what == "pod") return object_names(paths, "/api/v1/pods", "");
    if (what == "namespace") return object_names(paths, "/api/v1/namespaces", "");
    if (what == "node") return object_names(paths, "/api/v1/nodes", "");
    if (what == "service") return object_names(paths, "/api/v1/services", "svc/");
    if (what != "host") return Error(Errc::kInvalid, cat("there is no offer ", what));
    TRY_ASSIGN(const Json lab, lab_get(paths, "/kin/v1/status"));
    std::set<std::string> names;
    for (const Json& host : array_at(lab, {"hosts"})) names.insert(string_at(host, {"name"}));
    return names;
}
}  // namespace

std::string completion_script(const std::string& shell, const VerbWords& kin) {
    const std::string made = cat("# Made by: kin completion ", shell, "\n");
    if (shell == "bash") return cat(made, verb_table(kin), kWalk, kBash);
    if (shell == "zsh") return cat("#compdef kin\n", made, verb_table(kin), kWalk, kZsh);
    return made + fish_script(kin);
}

int list_names(const std::string& lab, const Offer& what) {
    std::signal(SIGALRM, [](int) { ::_exit(1); });
    const itimerval patience{{0, 0}, {0, kPatienceMicroseconds}};
    ::setitimer(ITIMER_REAL, &patience, nullptr);
    const auto paths = lab_paths(lab);
    if (!paths) return 1;
    const auto names = names_of(*paths, what);
    if (!names) return 1;
    for (const std::string& name : *names) {
        if (is_plain(name)) std::printf("%s\n", name.c_str());
    }
    return 0;
}

}  // namespace kin
