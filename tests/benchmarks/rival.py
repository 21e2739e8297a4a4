"""The same task as most would write it: FastAPI, SQLAlchemy, one table, WAL, ``synchronous=FULL``.

It is what the handler's speed is measured against, and serves the file that ``RIVAL_LEDGER`` names.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response
from pydantic import BaseModel, Field
from sqlalchemy import create_engine, event, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine(f"sqlite:///{os.environ['RIVAL_LEDGER']}")
new_session = sessionmaker(engine, expire_on_commit=False)


@event.listens_for(engine, "connect")
def set_pragmas(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


class Base(DeclarativeBase):
    """The base of the mapped classes."""


class Row(Base):
    """One expense on disk."""

    __tablename__ = "expense"

    id: Mapped[int] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]
    category: Mapped[str] = mapped_column(index=True)
    description: Mapped[str]
    date: Mapped[dt.date] = mapped_column(index=True)
    dedup_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[dt.datetime]


Base.metadata.create_all(engine)


class NewExpense(BaseModel):
    """What is sent."""

    amount: Annotated[Decimal, Field(max_digits=15, decimal_places=2)]
    category: Annotated[str, Field(min_length=1, max_length=100)]
    description: Annotated[str, Field(max_length=500)] = ""
    date: dt.date


class Expense(NewExpense):
    """What is answered."""

    id: int
    dedup_key: str
    created_at: dt.datetime


def a_session() -> Iterator[Session]:
    with new_session() as session:
        yield session


app = FastAPI()


@app.post("/expenses", status_code=201)
def record(new: NewExpense, response: Response, session: Annotated[Session, Depends(a_session)]) -> Expense:
    minor = int(new.amount * 100)
    canonical = json.dumps([minor, new.category, new.description, new.date.isoformat()])
    row = Row(
        amount_minor=minor,
        category=new.category,
        description=new.description,
        date=new.date,
        dedup_key=hashlib.sha256(canonical.encode()).hexdigest(),
        created_at=dt.datetime.now(dt.UTC),
    )
    dedup_key = row.dedup_key
    session.add(row)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        row = session.scalars(select(Row).where(Row.dedup_key == dedup_key)).one()
        response.status_code = 200
    return Expense(
        id=row.id,
        amount=Decimal(row.amount_minor).scaleb(-2),
        category=row.category,
        description=row.description,
        date=row.date,
        dedup_key=row.dedup_key,
        created_at=row.created_at,
    )


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}
