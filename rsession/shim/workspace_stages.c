/* What R code calls between the stages of a large snapshot. */
#define _GNU_SOURCE
#include "pack_compaction.h"
#include "workspace.h"

#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

/* rs_workspace_settle_stage(): the same after a stage, which names all that was named before by the same numbers. */
EXPORTED SEXP rs_workspace_settle_stage(void)
{
    struct catalog catalog;
    const char *complaint = catalog_read(&catalog, workspace.folder);
    if (complaint != NULL) {
        return workspace_refusal(complaint);
    }
    if (!workspace_take_catalog(&catalog)) {
        return workspace_refusal(catalog_no_memory);
    }
    catalog_sweep(&workspace.catalog, workspace.folder);
    return *wr.R_NilValue;
}

/* rs_workspace_drop_stages(): the snapshot that they were for was not completed. */
EXPORTED SEXP rs_workspace_drop_stages(void)
{
    if (!drop_unnamed_chunks(&workspace.catalog)) {
        return workspace_refusal(catalog_no_memory);
    }
    drop_empty_packs(&workspace.catalog);
    int failure = catalog_write(&workspace.catalog, workspace.folder);
    if (failure != 0) {
        return workspace_refusal(strerror(failure));
    }
    catalog_sweep(&workspace.catalog, workspace.folder);
    return *wr.R_NilValue;
}
