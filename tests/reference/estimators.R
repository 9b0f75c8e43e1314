# Written for R 4.2 with survival 3.5-3 and cmprsk 2.2-11; run in this folder: Rscript estimators.R
# Writes sites.csv (made up: sites of patients, scanned on a grid, so that times tie) and estimators.json.
suppressMessages({library(survival); library(cmprsk)})
options(digits = 15)
set.seed(20250615)

n_patient <- 130
per <- sample(1:4, n_patient, TRUE, c(.4, .3, .2, .1))
patient <- rep(seq_len(n_patient), per)
frailty <- rgamma(n_patient, 2, 2)[patient]
tier <- c("low", "intermediate", "high")[sample(1:3, length(patient), TRUE, c(.5, .3, .2))]
hazard <- c(low = 0.0008, intermediate = 0.0014, high = 0.0028)[tier] * frailty
grid <- c(91, 167, 244, 320, 396, 472, 609, 746, 883, 1020, 1157, 1294)
event <- rexp(length(patient), hazard)
event <- sapply(event, function(x) c(grid[grid >= x], Inf)[1])
death <- ceiling(rexp(n_patient, 0.0009))[patient]
stop <- sample(grid, n_patient, TRUE)[patient]
time <- pmin(event, death, stop)
status <- ifelse(event <= pmin(death, stop), 1L, ifelse(death <= stop, 2L, 0L))
entry <- pmin(sample(c(0, 0, 30, 60, 120), n_patient, TRUE)[patient], time - 1)
stratum <- sample(c("a", "b"), n_patient, TRUE)[patient]
d <- data.frame(patient, tier, stratum, entry, time, status)
write.csv(d, "sites.csv", row.names = FALSE, quote = FALSE)

num <- function(x) paste0("[", paste(ifelse(is.finite(x), formatC(x, digits = 15, format = "g"), "null"), collapse = ", "), "]")
obj <- function(l) paste0("{", paste0("\"", names(l), "\": ", unlist(l), collapse = ",\n "), "}")
curve <- function(f) obj(list(time = num(f$time), n_risk = num(f$n.risk), estimate = num(f$surv),
  std_error = num(summary(f, times = f$time)$std.err), low = num(f$lower), high = num(f$upper)))
med <- function(f) num(summary(f)$table[c("median", "0.95LCL", "0.95UCL")])
out <- list()
one <- d[d$tier == "intermediate", ]

for (ci in c("log-log", "log", "plain", "arcsin")) {
  f <- survfit(Surv(time, status == 1) ~ 1, one, conf.type = ci)
  out[[paste0("km_", ci)]] <- curve(f)
  out[[paste0("median_", ci)]] <- med(f)
}
out$km_90 <- curve(survfit(Surv(time, status == 1) ~ 1, one, conf.type = "log-log", conf.int = 0.9))
f <- survfit(Surv(entry, time, status == 1) ~ 1, one, conf.type = "log-log")
out$km_entry <- curve(f)
out$km_entry_rmst <- num(unname(summary(f, rmean = 800)$table[c("rmean", "se(rmean)")]))
f <- survfit(Surv(time, status == 1) ~ 1, one, conf.type = "log-log", cluster = patient)
out$km_cluster <- curve(f)
out$median_cluster <- med(f)
f <- survfit(Surv(entry, time, status == 1) ~ 1, one, conf.type = "log-log", cluster = patient)
out$km_entry_cluster <- curve(f)

# Incidence in several states: R's infinitesimal jackknife, by site, and added up by patient. (`cluster = patient` in this
# version gives other standard errors than its own influence added up by patient, which a jackknife over patients confirms.)
state <- function(x) factor(x$status, 0:2, c("censor", "event", "death"))
multi <- function(f, ci) obj(list(time = num(f$time), estimate = num(f$pstate[, 2]), std_error = num(f$std.err[, 2]),
  low = num(matrix(f$lower, ncol = 3)[, 2]), high = num(matrix(f$upper, ncol = 3)[, 2])))  # arcsin drops the shape
one$site <- seq_len(nrow(one))
for (ci in c("log-log", "log", "plain", "arcsin")) {
  f <- survfit(Surv(time, state(one)) ~ 1, one, id = site, conf.type = ci)
  out[[paste0("cif_jackknife_", ci)]] <- multi(f)
}
by_patient <- function(f) {
  k <- dim(f$influence.pstate)[2] - length(f$time)  # the first slice is time zero
  u <- f$influence.pstate[, if (k > 0) -1 else TRUE, 2]
  obj(list(time = num(f$time), estimate = num(f$pstate[, 2]), std_error = num(sqrt(colSums(rowsum(u, one$patient)^2)))))
}
out$cif_cluster <- by_patient(survfit(Surv(time, state(one)) ~ 1, one, id = site, influence = TRUE))
lost <- unname(summary(f, rmean = 800)$table[2, "rmean"])  # this version prints no standard error: from its influence
f <- survfit(Surv(time, state(one)) ~ 1, one, id = site, influence = TRUE)
width <- diff(c(pmin(f$time, 800), 800))
out$cif_lost <- num(c(lost, sqrt(sum((f$influence.pstate[, -1, 2] %*% width)^2))))
out$cif_entry_cluster <- by_patient(survfit(Surv(entry, time, state(one)) ~ 1, one, id = site, influence = TRUE))
g <- cuminc(one$time, one$status)
grid_t <- c(91, 200, 320, 400, 609, 900, 1157)
tp <- timepoints(g, grid_t)
out$cif_times <- num(grid_t)
out$cif_event <- num(tp$est[1, ]); out$cif_event_var <- num(tp$var[1, ])
out$cif_death <- num(tp$est[2, ]); out$cif_death_var <- num(tp$var[2, ])

d$tier <- factor(d$tier, c("low", "intermediate", "high"))
test <- function(s) { k <- sum(s$exp > 0) - 1; num(c(s$chisq, k, pchisq(s$chisq, k, lower.tail = FALSE))) }
out$logrank <- test(survdiff(Surv(time, status == 1) ~ tier, d))
out$logrank_rho1 <- test(survdiff(Surv(time, status == 1) ~ tier, d, rho = 1))
out$logrank_strata <- test({ s <- survdiff(Surv(time, status == 1) ~ tier + strata(stratum), d)
  list(chisq = s$chisq, exp = rowSums(s$exp)) })
s <- survdiff(Surv(time, status == 1) ~ tier, d)
w <- 1:3
z <- sum(w * (s$obs - s$exp))^2 / drop(t(w) %*% s$var %*% w)
out$trend <- num(c(z, 1, pchisq(z, 1, lower.tail = FALSE)))
g <- cuminc(d$time, d$status, d$tier)$Tests
out$gray <- num(g[1, c(1, 3, 2)]); out$gray_competing <- num(g[2, c(1, 3, 2)])
g <- cuminc(d$time, d$status, d$tier, strata = d$stratum)$Tests
out$gray_strata <- num(g[1, c(1, 3, 2)])
# Late entry: the score test of a Cox model with exact hypergeometric variance exists only without ties, so Breslow's
# robust score test stands for both late entry and clusters.
f <- coxph(Surv(time, status == 1) ~ tier, d, cluster = patient, ties = "breslow", iter.max = 0, init = c(0, 0))
u <- rowsum(residuals(f, "score"), d$patient)
z <- drop(colSums(u) %*% solve(crossprod(u), colSums(u)))
out$logrank_cluster <- num(c(z, 2, pchisq(z, 2, lower.tail = FALSE)))
f <- coxph(Surv(entry, time, status == 1) ~ tier, d, cluster = patient, ties = "breslow", iter.max = 0, init = c(0, 0))
u <- rowsum(residuals(f, "score"), d$patient)
z <- drop(colSums(u) %*% solve(crossprod(u), colSums(u)))
out$logrank_entry_cluster <- num(c(z, 2, pchisq(z, 2, lower.tail = FALSE)))

# Curves that stay at one half, end at zero, or end above it.
small <- list(flat = list(c(1, 2, 3, 4, 5, 6), c(1, 1, 1, 0, 1, 1)), flat_end = list(c(1, 2, 3, 4), c(1, 1, 0, 0)),
  to_zero = list(c(2, 4, 4, 7, 9), c(1, 1, 1, 1, 1)), one_event = list(c(5, 8, 9), c(0, 1, 0)),
  none = list(c(5, 8, 9), c(0, 0, 0)))
for (name in names(small)) {
  x <- small[[name]]
  f <- survfit(Surv(x[[1]], x[[2]]) ~ 1, conf.type = "log-log")
  out[[paste0("small_", name)]] <- obj(list(time = num(x[[1]]), status = num(x[[2]]), estimate = num(f$surv),
    low = num(f$lower), high = num(f$upper), median = med(f)))
}
writeLines(obj(out), "estimators.json")
