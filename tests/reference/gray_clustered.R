# Gray's test as the Fine-Gray score test at zero with censoring weights of each group, on sites.csv; robust variance by patient.
# finegray() leaves out times without events in a stratum, so that the rows are laid out here. The score is Gray's exactly; the
# robust variance takes the weights as known, ours does not, so that the statistics agree only about.
#   Rscript gray_clustered.R > gray_clustered.json
suppressMessages(library(survival))
d <- read.csv("sites.csv"); d$id <- seq_len(nrow(d))
d$leaves <- ifelse(d$status == 0, d$time + 1e-4, d$time) # censored after events of the same day
groups <- unique(d$tier)
expand <- function(d, events) do.call(rbind, lapply(groups, function(k) {
  x <- d[d$tier == k, ]
  g <- survfit(Surv(leaves, status == 0) ~ 1, x)
  before <- function(t) c(1, g$surv)[findInterval(t, g$time, left.open = TRUE) + 1]
  do.call(rbind, lapply(seq_len(nrow(x)), function(j) {
    p <- x[j, ]
    t <- if (p$status == 2) events else events[events <= p$time]
    if (!length(t)) return(NULL)
    data.frame(id = p$id, patient = p$patient, tier = k, start = c(0, t)[seq_along(t)], stop = t,
      event = as.integer(p$status == 1 & t == p$time), w = ifelse(t <= p$time, 1, before(t) / before(p$time)))
  }))
}))
rows <- expand(d, sort(unique(d$time[d$status == 1])))
rows <- rows[rows$w > 0, ]
rows$tier <- factor(rows$tier, groups)
robust <- function(cluster) coxph(Surv(start, stop, event) ~ tier, rows, weights = w, cluster = cluster,
  init = rep(0, length(groups) - 1), iter.max = 0, ties = "breslow")
by_patient <- robust(rows$patient); by_site <- robust(rows$id)
score <- colSums(residuals(by_patient, type = "score", weighted = TRUE))
cat(sprintf('{"groups": ["%s"], "score": [%s], "statistic_by_patient": %.10f, "statistic_by_site": %.10f, "df": %d}\n',
  paste(groups, collapse = '", "'), paste(sprintf("%.12f", score), collapse = ", "),
  by_patient$rscore, by_site$rscore, length(groups) - 1))
