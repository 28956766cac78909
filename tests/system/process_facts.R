# What R says of itself and its process, one fact a line: name, tab, value. Sourced by a session; the file is FACTS.
local({
  write <- function(name, value) {
    text <- gsub("[\n\t]", " ", paste(value, collapse = " | "))
    cat(name, "\t", text, "\n", sep = "", file = Sys.getenv("FACTS"), append = TRUE)
  }
  short <- function(value) paste(deparse(value, width.cutoff = 500L, nlines = 20L), collapse = " ")
  all_options <- options()
  for (name in names(all_options)) write(paste0("option ", name), short(all_options[[name]]))
  variables <- Sys.getenv()
  for (name in names(variables)) write(paste0("variable ", name), variables[[name]])
  facts <- alist(
    search = search(), namespaces = sort(loadedNamespaces()), libraries = .libPaths(), site_library = .Library.site,
    directory = getwd(), arguments = commandArgs(), interactive = interactive(), locale = Sys.getlocale(),
    locales = sapply(c("LC_MESSAGES", "LC_PAPER", "LC_MEASUREMENT"), Sys.getlocale), info = l10n_info()[1:4],
    capabilities = capabilities(), kinds = RNGkind(), seed = exists(".Random.seed", globalenv()),
    timezone = Sys.timezone(), now_zone = format(Sys.time(), "%Z"), temporary = sub("Rtmp.*", "Rtmp", tempdir()),
    temporary_mode = format(file.info(tempdir())$mode), temporary_owner = file.info(tempdir())$uname,
    temporary_variable = Sys.getenv("R_SESSION_TMPDIR") == tempdir(),
    libraries_of_code = sort(names(getLoadedDLLs())), version = R.version.string, platform = unlist(.Platform),
    machine = unlist(.Machine)[1:10], session = utils::capture.output(print(utils::sessionInfo())),
    objects = ls(globalenv(), all.names = TRUE), base_objects = length(ls(baseenv(), all.names = TRUE)),
    methods_objects = length(ls(asNamespace("methods"), all.names = TRUE)), connections = nrow(showConnections(all = TRUE)),
    devices = grDevices::dev.list(), device = short(getOption("device")), stack = Cstack_info()[c("size", "direction")],
    jit = compiler::enableJIT(-1), heap = gc(reset = FALSE)[, "gc trigger"], warnings = short(warnings()),
    handlers = names(globalCallingHandlers()), hooks = sort(ls(.userHooksEnv, all.names = TRUE)),
    library_site_bound = bindingIsActive(".Library.site", baseenv()), umask = format(Sys.umask()),
    locked = c(environmentIsLocked(baseenv()), environmentIsLocked(asNamespace("utils"))),
    registry = any(vapply(loadedNamespaces(), bindingIsActive, NA, .Internal(getNamespaceRegistry()))),
    elapsed = proc.time()[["elapsed"]] < 30, user_time = proc.time()[["user.self"]] < 20, os = utils::osVersion,
    first_warning = tryCatch(as.integer("x"), warning = conditionMessage), sorted = sort(c("b", "A", "a", "B", "_", "1")),
    formatted = format(1234.5, big.mark = ","), day = format(as.Date("2024-03-01"), "%A %B"), limits = parallel::detectCores(),
    task_callbacks = getTaskCallbackNames(), history = Sys.getenv("R_HISTFILE"), loaded_hook = Sys.getenv("HOOK_RAN"),
    profile_saw = Sys.getenv("PROFILE_SAW"), first_saw = Sys.getenv("FIRST_SAW"), nice = system("nice", intern = TRUE),
    groups = system("id", intern = TRUE), process_limits = system("cat /proc/self/limits", intern = TRUE),
    child_signals = system("grep Sig[IBC] /proc/self/status", intern = TRUE),
    state = grep("^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:|Umask|SigIgn|SigBlk|SigCgt|CoreDumping)", readLines("/proc/self/status"), value = TRUE),
    shown = strsplit(rawToChar(replace(r <- readBin("/proc/self/cmdline", "raw", 9999), r == 0, as.raw(32))), " +")[[1]],
    group = sub("rserver-.*", "rserver-", readLines("/proc/self/cgroup")), oom = readLines("/proc/self/oom_score_adj"),
    login = readLines("/proc/self/loginuid"), session_leader = sub(".*\\) ", "", readLines("/proc/self/stat")) != "",
    files = sort(sub("\\[.*|[0-9]+", "", Sys.readlink(list.files("/proc/self/fd", full.names = TRUE)))),
    dumpable = file.info("/proc/self/environ")$uname, clipboard = short(utils::getSrcref(mean)), s4 = isVirtualClass("VIRTUAL"),
    bytecode = is.function(compiler::cmpfun(function(x) x)), keep = getOption("keep.source"), gui = .Platform$GUI,
    last = exists(".Last.value"), traceback = length(.traceback()), serialised = length(serialize(mean, NULL)),
    encoding = Encoding("\u00e4"), wide = nchar("\u00e4", "width"), utf8 = enc2native("\u00e4")
  )
  for (name in names(facts))
    write(paste("fact", name), tryCatch(unlist(lapply(eval(facts[[name]]), format)), error = function(e) paste("error:", conditionMessage(e))))
})
