# Where the cursor of an input line stands: in a string, a comment, which call or index, behind which operator. Pure text.

NAME <- "(?:[\\p{L}.][\\p{L}\\p{N}._]*|`[^`]*`)"
CHAIN <- paste0("(?:", NAME, ":::?)?", NAME, "(?:[$@]", NAME, ")*")
LONGEST_MATCH <- 300L

# list(comment, quote, string_start, open): `open` is the innermost bracket that is still open, as list(kind, at), or NULL
scan_line <- function(text) {
  chars <- strsplit(text, "", fixed = TRUE)[[1L]]
  n <- length(chars)
  stack <- list()
  i <- 1L
  while (i <= n) {
    char <- chars[[i]]
    if (char == "#") {
      i <- end_of_comment(chars, i)
      if (i > n) return(list(comment = TRUE))
    } else if (char %in% c("\"", "'", "`")) {
      end <- end_of_quoted(chars, i)
      if (end > n) return(in_string(stack, char, i))
      i <- end
    } else if (char %in% c("(", "{", "[")) {
      kind <- if (char == "[" && i < n && chars[[i + 1L]] == "[") "[[" else char
      stack <- c(stack, list(list(kind = kind, at = i)))
      i <- i + nchar(kind) - 1L
    } else if (char %in% c(")", "}", "]") && length(stack)) {
      if (stack[[length(stack)]]$kind == "[[" && i < n && chars[[i + 1L]] == "]") i <- i + 1L
      stack <- stack[-length(stack)]
    }
    i <- i + 1L
  }
  list(comment = FALSE, quote = NULL, string_start = NULL, open = innermost(stack))
}

in_string <- function(stack, quote, at) {
  list(comment = FALSE, quote = quote, string_start = at + 1L, open = innermost(stack))
}

innermost <- function(stack) if (length(stack)) stack[[length(stack)]] else NULL

end_of_comment <- function(chars, i) {
  n <- length(chars)
  while (i <= n && chars[[i]] != "\n") i <- i + 1L
  i
}

# Index of the closing quote, or more than the length when the string is still open
end_of_quoted <- function(chars, i) {
  n <- length(chars)
  raw <- if (i > 1L && chars[[i]] != "`") raw_delimiter(chars, i)
  if (!is.null(raw)) return(end_of_raw(chars, i, raw))
  quote <- chars[[i]]
  i <- i + 1L
  while (i <= n && chars[[i]] != quote) i <- i + if (chars[[i]] == "\\" && quote != "`") 2L else 1L
  i
}

# For r"---( at the quote: ')---"', else NULL
raw_delimiter <- function(chars, i) {
  if (!chars[[i - 1L]] %in% c("r", "R")) return(NULL)
  if (i > 2L && grepl("[[:alnum:]._]", chars[[i - 2L]])) return(NULL)
  rest <- paste(chars[i:min(length(chars), i + 40L)], collapse = "")
  opening <- regmatches(rest, regexpr("^[\"']-*[\\(\\[{]", rest))
  if (!length(opening)) return(NULL)
  dashes <- substr(opening, 2L, nchar(opening) - 1L)
  bracket <- substr(opening, nchar(opening), nchar(opening))
  paste0(switch(bracket, "(" = ")", "[" = "]", "{" = "}"), dashes, chars[[i]])
}

end_of_raw <- function(chars, i, closing) {
  rest <- paste(chars[i:length(chars)], collapse = "")
  at <- regexpr(closing, rest, fixed = TRUE)
  if (at < 0L) length(chars) + 1L else i + as.integer(at) + nchar(closing) - 2L
}

# The end of the text that the pattern matches; what is longer than any name or chain by hand is not looked at
last_match <- function(pattern, text) {
  text <- substring(text, max(1L, nchar(text) - LONGEST_MATCH + 1L))
  regmatches(text, regexpr(paste0("(*UCP)", pattern, "$"), text, perl = TRUE))
}

# The name being typed, "" when none
name_token <- function(text) {
  token <- last_match("[\\p{L}\\p{N}._]*", text)
  if (!length(token) || grepl("^(?:[0-9]|\\.[0-9])", token)) "" else token
}

# What stands before an operator or bracket when it is a plain chain such as a, pkg::a or a$b@c; else NULL
chain_before <- function(text) {
  chain <- last_match(paste0("(?<![\\p{L}\\p{N}._`$@\\])])", CHAIN, "[ \t]*"), text)
  if (length(chain)) trimws(chain) else NULL
}
