// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * reports.ko: does what the kernel's checkers report, one wrong each time, when its name is
 * written to the parameter "provoke".  A test's module, to see that they are awake and that
 * selftests/log.c understands them; no kernel is of much use afterwards.
 */
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#define SIZE	64	/* of an object: a cache has just this size, so nothing hides behind it */

struct object {
	int array[4];	/* not at the end, where an array may be of any size */
	struct timer_list timer;
};

/* A value that the compiler cannot know, or it would see what is wrong by itself. */
static int hidden(int value)
{
	OPTIMIZER_HIDE_VAR(value);
	return value;
}

static void warning(void)
{
	WARN_ON(hidden(1));
}

static void lock_order(void)
{
	static DEFINE_MUTEX(first);
	static DEFINE_MUTEX(second);

	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void rcu_unprotected(void)
{
	static void __rcu *pointer;
	void *value = rcu_dereference(pointer);

	OPTIMIZER_HIDE_VAR(value);
}

static void atomic_sleep(void)
{
	static DEFINE_SPINLOCK(lock);

	spin_lock(&lock);
	might_sleep();
	spin_unlock(&lock);
}

static void preempted(void)
{
	int cpu = smp_processor_id();

	OPTIMIZER_HIDE_VAR(cpu);
}

static void list(void)
{
	LIST_HEAD(head);
	struct list_head entry;

	list_add(&entry, &head);
	list_add(&entry, &head);
}

static void refcount(void)
{
	refcount_t count = REFCOUNT_INIT(0);

	refcount_inc(&count);
}

static void out_of_bounds(void)
{
	u8 *object = kmalloc(SIZE, GFP_KERNEL);

	if (object)
		object[hidden(SIZE)] = 1;
	kfree(object);
}

static void use_after_free(void)
{
	u8 *object = kmalloc(SIZE, GFP_KERNEL);

	kfree(object);
	OPTIMIZER_HIDE_VAR(object);
	if (object)
		object[SIZE / 2] = 1;
}

static void vmalloc_bounds(void)
{
	u8 *object = vmalloc(SIZE);

	if (object)
		object[hidden(SIZE)] = 1;
	vfree(object);
}

/* Written as a guest would, by code that is not instrumented; found when it is given away. */
static void freed_page(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL);

	if (!page)
		return;
	free_page(page);
	asm volatile("movl $1, (%0)" : : "r"(page + 128) : "memory");
	free_page(__get_free_page(GFP_KERNEL));
}

static void shift(void)
{
	int value = hidden(1) << hidden(40);

	OPTIMIZER_HIDE_VAR(value);
}

static void array_index(void)
{
	struct object *object = kzalloc(sizeof(*object) + SIZE, GFP_KERNEL);

	if (object)
		object->array[hidden(5)] = 1;
	kfree(object);
}

static void ring(struct timer_list *timer)
{
}

static void active_timer(void)
{
	struct object *object = kzalloc(sizeof(*object), GFP_KERNEL);

	if (!object)
		return;
	timer_setup(&object->timer, ring, 0);
	mod_timer(&object->timer, jiffies + 3600 * HZ);
	kfree(object); /* the checker stops the timer, after it has reported it */
}

static void leak(void)
{
	void *object;
	int i;

	/* More than one, as an address may happen to be on some stack. */
	for (i = 0; i < 10; i++) {
		object = kmalloc(SIZE, GFP_KERNEL);
		OPTIMIZER_HIDE_VAR(object);
	}
}

static const struct {
	const char *name;
	void (*provoke)(void);
} wrongs[] = {
	{ "warning", warning },
	{ "lock_order", lock_order },
	{ "rcu_unprotected", rcu_unprotected },
	{ "atomic_sleep", atomic_sleep },
	{ "preemptible", preempted },
	{ "list", list },
	{ "refcount", refcount },
	{ "out_of_bounds", out_of_bounds },
	{ "use_after_free", use_after_free },
	{ "vmalloc_bounds", vmalloc_bounds },
	{ "freed_page", freed_page },
	{ "shift", shift },
	{ "array_index", array_index },
	{ "active_timer", active_timer },
	{ "leak", leak },
};

static int provoke(const char *value, const struct kernel_param *param)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrongs); i++) {
		if (!sysfs_streq(value, wrongs[i].name))
			continue;
		wrongs[i].provoke();
		return 0;
	}
	return -EINVAL;
}

static const struct kernel_param_ops ops = { .set = provoke };
module_param_cb(provoke, &ops, NULL, 0200);
MODULE_PARM_DESC(provoke, "name of a wrong to be done");

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("does what the kernel's checkers report");
