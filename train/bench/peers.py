# SPDX-License-Identifier: Apache-2.0
"""The peers: each takes training rows, their outcomes and test rows, tunes
itself on the training rows alone, and returns the probabilities of the test
rows. Columns come as they are in the table; see ../BENCH.md."""

import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.preprocessing import OneHotEncoder, SplineTransformer

THREADS = 1  # of the trees: two that wait for each other on a busy machine take many times as long
SEED = 1
RARE = 10  # levels of fewer training rows are one level, in the linear peers
INTERVALS = 8  # of a spline
PENALTIES = np.logspace(-4, 3, 15)  # C of scikit-learn: 1 / ridge
RECIPE = 1  # raised when what is below changes what comes out: cached figures are then made again


def columns(x):
    """Splits the columns into numbers (dates as days) and levels (text)."""
    numbers, levels = {}, {}
    for name in x:
        c = x[name]
        if pd.api.types.is_datetime64_any_dtype(c):
            numbers[name] = (c - pd.Timestamp(0, tz=c.dt.tz)) / pd.Timedelta(days=1)
        elif pd.api.types.is_numeric_dtype(c):  # bool too
            numbers[name] = c.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
        else:
            levels[name] = c.astype(object).where(c.notna(), "missing").astype(str)
    return pd.DataFrame(numbers, index=x.index), pd.DataFrame(levels, index=x.index)


def design(train, test, splines):
    """Returns the basis columns of both: numbers standardised, missing ones the
    median and a flag; one column a level; and B-splines where asked."""
    (numbers, levels), (test_numbers, test_levels) = columns(train), columns(test)
    blocks = []
    for name in numbers:
        a, b = numbers[name].to_numpy(), test_numbers[name].to_numpy()
        missing = np.isnan(a)
        if missing.all():
            continue
        if missing.any():
            blocks.append((missing[:, None].astype(float), np.isnan(b)[:, None].astype(float)))
        a, b = (np.where(np.isnan(v), np.nanmedian(numbers[name]), v) for v in (a, b))
        mean, sd = a.mean(), a.std()
        if sd > 0:
            blocks.append((((a - mean) / sd)[:, None], ((b - mean) / sd)[:, None]))
        knots = np.unique(np.quantile(a, np.linspace(0, 1, INTERVALS + 1)))
        if splines and len(np.unique(a)) > 6 and len(knots) > 2:
            basis = SplineTransformer(knots=knots[:, None], extrapolation="constant").fit(a[:, None])
            blocks.append((basis.transform(a[:, None]), basis.transform(b[:, None])))
    if levels.shape[1]:
        one_hot = OneHotEncoder(min_frequency=RARE, handle_unknown="infrequent_if_exist").fit(levels)
        blocks.append((one_hot.transform(levels), one_hot.transform(test_levels)))
    return (sp.hstack([sp.csr_array(b[i]) for b in blocks], format="csr") for i in range(2))


def logistic(x, y, test, splines=False):
    a, b = design(x, test, splines)
    folds = StratifiedKFold(5, shuffle=True, random_state=SEED)
    m = LogisticRegressionCV(Cs=PENALTIES, l1_ratios=(0,), cv=folds, scoring="neg_log_loss", max_iter=3000,
                             use_legacy_attributes=False)
    return m.fit(a, y).predict_proba(b)[:, 1]


def spline_logistic(x, y, test):
    return logistic(x, y, test, splines=True)


def boosted(x, y, fit):
    """Chooses among configurations by early stopping on a fifth of the rows,
    then refits the best on all of them. fit(config, train, stop) returns a
    model, its loss on the fifth and its rounds."""
    inner, stop = train_test_split(np.arange(len(y)), test_size=0.2, stratify=y, random_state=SEED)
    tried = [(fit(c, inner, stop)[1:], i, c) for i, c in enumerate(fit.configs)]
    (_, rounds), _, config = min(tried)
    return fit({**config, **fit.rounds(rounds)}, np.arange(len(y)), None)[0]


def lightgbm(x, y, test):
    import lightgbm as lgb

    numbers, levels = columns(pd.concat([x, test]))
    both = pd.concat([numbers, levels.astype("category")], axis=1)
    a, b = both.iloc[:len(x)], both.iloc[len(x):]

    def fit(config, rows, stop):
        common = {"learning_rate": 0.03, "n_estimators": 4000, "subsample": 0.8, "subsample_freq": 1, "reg_lambda": 5,
                  "colsample_bytree": 0.7, "n_jobs": THREADS, "random_state": SEED, "verbose": -1}
        m = lgb.LGBMClassifier(**{**common, **config})
        if stop is None:
            return m.fit(a.iloc[rows], y[rows]), None, None
        m.fit(a.iloc[rows], y[rows], eval_set=[(a.iloc[stop], y[stop])], eval_metric="binary_logloss",
              callbacks=[lgb.early_stopping(100, verbose=False)])
        return m, m.best_score_["valid_0"]["binary_logloss"], m.best_iteration_

    fit.configs = [{"num_leaves": n, "min_child_samples": k} for n, k in ((7, 20), (15, 20), (31, 20), (63, 10), (127, 5))]
    fit.rounds = lambda n: {"n_estimators": n}
    return boosted(a, y, fit).predict_proba(b)[:, 1]


def catboost(x, y, test):
    import catboost as cb

    (numbers, levels), (test_numbers, test_levels) = columns(x), columns(test)
    a, b = pd.concat([numbers, levels], axis=1), pd.concat([test_numbers, test_levels], axis=1)
    names = list(levels)

    def fit(config, rows, stop):
        m = cb.CatBoostClassifier(**{"iterations": 3000, "learning_rate": 0.05, **config}, thread_count=THREADS,
                                  random_seed=SEED, verbose=False, allow_writing_files=False, cat_features=names)
        if stop is None:
            return m.fit(a.iloc[rows], y[rows]), None, None
        m.fit(a.iloc[rows], y[rows], eval_set=(a.iloc[stop], y[stop]), early_stopping_rounds=100)
        return m, m.get_best_score()["validation"]["Logloss"], m.get_best_iteration() + 1

    fit.configs = [{"depth": d} for d in (4, 6, 8)]
    fit.rounds = lambda n: {"iterations": n}
    return boosted(a, y, fit).predict_proba(b)[:, 1]


def ebm(x, y, test):
    from interpret.glassbox import ExplainableBoostingClassifier

    (numbers, levels), (test_numbers, test_levels) = columns(x), columns(test)
    m = ExplainableBoostingClassifier(random_state=SEED, n_jobs=THREADS)  # its defaults, pairs included
    m.fit(pd.concat([numbers, levels], axis=1), y)
    return m.predict_proba(pd.concat([test_numbers, test_levels], axis=1))[:, 1]


PEERS = {  # name: (function, package)
    "plain LR": (logistic, "scikit-learn"),
    "spline LR": (spline_logistic, "scikit-learn"),
    "EBM": (ebm, "interpret-core"),
    "LightGBM": (lightgbm, "lightgbm"),
    "CatBoost": (catboost, "catboost"),
}


def recipe(name):
    """Names what a cached figure was made with."""
    package = PEERS[name][1]
    return f"{package} {version(package)}, recipe {RECIPE}"


def predict(name, x, y, test):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence at the weakest penalties, which are not chosen
        return PEERS[name][0](x, y, test)
