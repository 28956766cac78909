# Completions for the end of a piece of input.

ITEM_LIMIT <- 200L

# `text` is the input up to the cursor. list(token, items)
complete <- function(text) {
  at <- scan_line(text)
  if (at$comment) return(completion_answer("", candidates(character(), "variable")))
  if (is.null(at$quote) || at$quote == "`") return(complete_code(text, at))
  complete_string(text, at)
}

completion_answer <- function(token, source) {
  source <- matching(source, token)
  n <- min(length(source$text), ITEM_LIMIT)
  items <- lapply(seq_len(n), function(i) list(text = source$text[[i]], kind = source$kind[[i]], detail = source$detail[[i]]))
  list(token = token, items = items)
}

complete_string <- function(text, at) {
  typed <- substring(text, at$string_start)
  index <- index_source(text, at$open)
  if (!is.null(index)) return(completion_answer(typed, index))
  if (in_library_call(text, at$open)) return(completion_answer(typed, package_candidates()))
  completion_answer(sub("^.*/", "", typed), file_candidates(typed))
}

before_bracket <- function(text, open) if (is.null(open)) NULL else chain_before(substr(text, 1L, open$at - 1L))

index_source <- function(text, open) {
  if (is.null(open) || !open$kind %in% c("[", "[[")) return(NULL)
  chain <- before_bracket(text, open)
  found <- if (!is.null(chain)) chain_value(chain)
  if (is.null(found)) NULL else index_candidates(found$value)
}

in_library_call <- function(text, open) {
  !is.null(open) && open$kind == "(" &&
    isTRUE(before_bracket(text, open) %in% c("library", "require", "requireNamespace", "loadNamespace"))
}

complete_code <- function(text, at) {
  token <- if (identical(at$quote, "`")) substring(text, at$string_start - 1L) else name_token(text)
  before <- substr(text, 1L, nchar(text) - nchar(token))
  operator <- last_match("(?::::?|[$@])[ \t]*", before)
  if (length(operator)) return(complete_member(before, trimws(operator), nchar(operator), token))
  if (in_library_call(text, at$open)) return(completion_answer(token, package_candidates()))
  if (!nzchar(token) && is.null(at$open)) return(completion_answer("", candidates(character(), "variable")))
  arguments <- call_arguments(text, before, at$open)
  if (!nzchar(token)) return(completion_answer("", arguments))
  packages <- if (nchar(token) > 1L) package_candidates("::") else candidates(character(), "package")
  completion_answer(token, combine(arguments, search_candidates(token), keyword_candidates(), packages))
}

complete_member <- function(before, operator, width, token) {
  chain <- chain_before(substr(before, 1L, nchar(before) - width))
  if (is.null(chain)) return(completion_answer(token, candidates(character(), "variable")))
  if (startsWith(operator, ":")) return(completion_answer(token, export_candidates(chain, operator == ":::")))
  found <- chain_value(chain)
  if (is.null(found)) return(completion_answer(token, candidates(character(), "variable")))
  completion_answer(token, if (operator == "$") member_candidates(found$value) else slot_candidates(found$value))
}

# Arguments are offered where one may begin: behind the bracket, a comma or a line end
call_arguments <- function(text, before, open) {
  begins <- grepl("[(,\n][ \t]*$", before)
  chain <- if (begins && !is.null(open) && open$kind == "(") before_bracket(text, open)
  if (is.null(chain)) return(candidates(character(), "argument"))
  source <- argument_candidates(chain)
  given <- substring(text, open$at)
  used <- vapply(sub(" = $", "", source$text), function(name) grepl(paste0("[(,]\\s*\\Q", name, "\\E\\s*=[^=]"), given, perl = TRUE), NA)
  select(source, which(!used))
}
